import { crossCheckGates } from "./cross-check.js";
import { crossCheckUsers } from "./cross-check-users.js";
import type { Finding } from "./finding.js";
import type { Policy } from "./policy.js";
import { policySchema } from "./schema.js";
import { describeIssues } from "./shape.js";

/** What {@link parsePolicy} read. */
export type PolicyReading =
  | {
      /** The policy is valid. */
      readonly kind: "policy";
      /** The policy, with its defaults filled in. */
      readonly policy: Policy;
    }
  | {
      /** The policy is not valid. */
      readonly kind: "wrong";
      /** All findings, at least one. */
      readonly findings: readonly Finding[];
    };

/** Reads a policy from any value. Returns the policy with its defaults filled in, or all findings at once. */
export function parsePolicy(raw: unknown): PolicyReading {
  const reading = policySchema.safeParse(raw);
  const findings = [
    ...describeIssues(reading.error?.issues ?? [], { schema: policySchema, rule: "policy-shape" }),
    ...crossCheckGates(raw),
    ...crossCheckUsers(raw),
  ];
  if (!reading.success || findings.length > 0) return { kind: "wrong", findings };
  return { kind: "policy", policy: reading.data };
}
