import type { Policy } from "./policy.js";

/** What a rule objects to in a policy. Never contains a step's port or size. */
export interface Violation {
  /** A path into the policy: `gates[0].knock`. */
  readonly path: string;
  readonly message: string;
}

/** A rule of the linter, as data. Docs, explanations and tests are made from the same list. */
export interface LintRule {
  readonly id: string;
  /** An `error` fails the policy, unless `acceptRisks` names the rule. A `warning` is only shown. */
  readonly severity: "error" | "warning";
  readonly why: string;
  readonly fix: string;
  /**
   * Whether `acceptRisks` can accept it. Then an error is a warning, and a warning is not shown. What a backend can't
   * do can't be accepted.
   */
  readonly canBeAccepted: boolean;
  check(policy: Policy): readonly Violation[];
}
