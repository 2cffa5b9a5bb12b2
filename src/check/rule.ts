import type { Policy } from "../policy/policy.js";

/** Something that a rule has against a policy. Never holds a step's port or size. */
export interface Objection {
  /** A path into the policy: `gates[0].knock`. */
  readonly path: string;
  readonly message: string;
}

/** A rule of the linter, as data: docs, explanations and tests are made from the same list. */
export interface LintRule {
  readonly id: string;
  /** An `error` fails the policy unless `acceptRisks` names the rule; a `warning` is only said. */
  readonly severity: "error" | "warning";
  readonly why: string;
  readonly fix: string;
  /** Whether `acceptRisks` can turn it into a warning; what a backend can't do, no one can accept. */
  readonly isRisk: boolean;
  check(policy: Policy): readonly Objection[];
}
