import { parsePolicy } from "../../../src/policy/parse";
import type { Policy, PolicyInput } from "../../../src/policy/policy";
import type { StepInput } from "../../../src/policy/step";

export const oldSteps: readonly StepInput[] = [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 39_003 }];
/** One step more, and another order, so that its sets differ from those of the old steps. */
export const newSteps: readonly StepInput[] = [
  { udp: 41_101 },
  { tcp: 52_102 },
  { udp: 36_103 },
  { tcp: 33_104 },
];

export interface Particulars extends Partial<PolicyInput> {
  /** The steps of the gate `ssh`. */
  readonly steps?: readonly StepInput[];
}

/** Makes a policy from the fields that a test is about. By default it has one gate with SSH behind the old steps. */
export function makePolicy({ steps = oldSteps, ...more }: Particulars = {}): Policy {
  const ssh = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [...steps] }, openForSeconds: 60 };
  const reading = parsePolicy({ name: "edge", gates: [ssh], ...more });
  if (reading.kind === "policy") return reading.policy;
  throw new Error(reading.findings.map(({ path, message }) => `${path} ${message}`).join("; "));
}

export const oldPolicy = makePolicy();
export const newPolicy = makePolicy({ steps: newSteps });
