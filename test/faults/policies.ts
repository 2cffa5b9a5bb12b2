import type { PolicyInput } from "../../src/policy/policy";

type Steps = PolicyInput["gates"][number]["knock"]["steps"];

export const oldSteps: Steps = [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 39_003 }];
/** One more and in another order, so that its sets are others than those of the old ones. */
export const newSteps: Steps = [{ udp: 41_101 }, { tcp: 52_102 }, { udp: 36_103 }, { tcp: 33_104 }];
export const secretPorts = [...oldSteps, ...newSteps].map(({ tcp, udp }) => `${tcp ?? udp}`);

/** Where a host has a policy: its name, and the backend that has its rules. */
export type Place = Partial<Pick<PolicyInput, "name" | "backend">>;

export function makePolicy(steps: Steps, { name = "edge", backend }: Place): PolicyInput {
  const ssh = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [...steps] }, openForSeconds: 3 };
  return { name, gates: [ssh], ...(backend === undefined ? {} : { backend }) };
}
