import { crossCheckGates } from "./cross-check.js";
import type { Finding } from "./finding.js";
import type { Policy } from "./policy.js";
import { policySchema } from "./schema.js";
import { describeIssues } from "./shape.js";

/** What {@link parsePolicy} read. */
export type PolicyReading =
  | {
      /** The policy is right. */
      readonly kind: "policy";
      /** With its defaults filled in. */
      readonly policy: Policy;
    }
  | {
      /** It is no policy. */
      readonly kind: "wrong";
      /** All that is wrong with it; at least one. */
      readonly findings: readonly Finding[];
    };

/** Reads a policy from anything: either a policy with its defaults filled in, or everything wrong with it at once. */
export function parsePolicy(raw: unknown): PolicyReading {
  const reading = policySchema.safeParse(raw);
  const findings = [
    ...describeIssues(reading.error?.issues ?? [], { schema: policySchema, rule: "policy-shape" }),
    ...crossCheckGates(raw),
  ];
  if (!reading.success || findings.length > 0) return { kind: "wrong", findings };
  return { kind: "policy", policy: reading.data };
}
