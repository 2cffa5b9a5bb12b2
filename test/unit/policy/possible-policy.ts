import { lintPolicy, lintRules } from "../../../src/lint/lint";
import type { Policy } from "../../../src/policy/policy";

const impossible = new Set(lintRules.filter(({ canBeAccepted }) => !canBeAccepted).map(({ id }) => id));

/** Tells whether a policy's backend supports all that the policy asks for. */
export function isPossible(policy: Policy): boolean {
  return lintPolicy(policy).every(({ rule }) => !impossible.has(rule));
}
