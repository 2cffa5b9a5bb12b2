import type { PolicyInput } from "../../../src/policy/policy";

type Steps = NonNullable<PolicyInput["gates"][number]["knock"]["steps"]>;

// Below 32768: the output may contain ports of connections, which Linux chooses from there on.
export const oldSteps: Steps = [{ tcp: 27_001 }, { udp: 31_002 }, { tcp: 19_003 }];
/** One step more, and another order, so that its sets differ from those of the old steps. */
export const newSteps: Steps = [{ udp: 21_101 }, { tcp: 32_102 }, { udp: 16_103 }, { tcp: 13_104 }];
export const secretPorts = [...oldSteps, ...newSteps].map(({ tcp, udp }) => `${tcp ?? udp}`);

/** The place of a policy on a host: its name, and the backend that has its rules. */
export type Place = Partial<Pick<PolicyInput, "name" | "backend">>;

export function makePolicy(steps: Steps, { name = "edge", backend }: Place): PolicyInput {
  const ssh = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [...steps] }, openForSeconds: 3 };
  return { name, gates: [ssh], ...(backend === undefined ? {} : { backend }) };
}
