import { formatFindings } from "../../../src/policy/finding";
import { parsePolicy } from "../../../src/policy/parse";
import type { Policy, PolicyInput } from "../../../src/policy/policy";

/** Reads a policy that a test knows to be valid. */
export function readPolicy(input: PolicyInput): Policy {
  const reading = parsePolicy(input);
  if (reading.kind === "wrong") throw new Error(`the policy is wrong:\n${formatFindings(reading.findings)}`);
  return reading.policy;
}

/** The policy that most tests vary: one gate before TCP port 22, three TCP steps. */
export const edge: PolicyInput = {
  name: "edge",
  gates: [
    {
      name: "ssh",
      protect: [{ tcp: "22" }],
      knock: { steps: [{ tcp: 41_001 }, { tcp: 41_002 }, { tcp: 41_003 }] },
    },
  ],
};
