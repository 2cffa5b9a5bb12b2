import { backendOf, backends } from "../backends/backends.js";
import type { Finding } from "../policy/finding.js";
import type { LintRule } from "../policy/lint-rule.js";
import type { Policy } from "../policy/policy.js";
import { placeRules } from "./place-rules.js";
import { sequenceRules } from "./sequence-rules.js";
import { sharedRules } from "./shared-rules.js";
import { sourceRules } from "./source-rules.js";
import { userRules } from "./user-rules.js";

/** The rules for a policy of any backend. */
const commonRules = [...sequenceRules, ...sharedRules, ...placeRules, ...sourceRules, ...userRules];

/** All rules of the linter. */
export const lintRules: readonly LintRule[] = [
  ...commonRules,
  ...Object.values(backends).flatMap(({ lintRules: ofBackend }) => ofBackend),
];

/** A finding of the linter. An error that was accepted is a warning. */
export interface LintFinding extends Finding {
  /** An `error` prevents the gate from being made. A `warning` is only shown. */
  readonly severity: "error" | "warning";
}

/** Finds what is unwise in a valid policy, or what its backend can't do. */
export function lintPolicy(policy: Policy): readonly LintFinding[] {
  const rules = [...commonRules, ...backendOf(policy).lintRules];
  const known = new Set(lintRules.filter((rule) => rule.canBeAccepted).map((rule) => rule.id));
  const unknown = policy.acceptRisks.flatMap((id, index): readonly LintFinding[] => {
    if (known.has(id)) return [];
    return [
      {
        path: `acceptRisks[${index}]`,
        rule: "unknown-risk",
        severity: "error",
        message: `"${id}" is not a rule of the linter whose risk can be accepted.`,
        fix: "Name the rule as the finding shows it.",
      },
    ];
  });
  return [...unknown, ...rules.flatMap((rule) => applyRule(rule, policy))];
}

function applyRule(rule: LintRule, policy: Policy): readonly LintFinding[] {
  const isAccepted = rule.canBeAccepted && policy.acceptRisks.includes(rule.id);
  if (isAccepted && rule.severity === "warning") return [];
  return rule.check(policy).map(({ path, message }) => ({
    path,
    rule: rule.id,
    severity: isAccepted ? "warning" : rule.severity,
    message: `${message} ${rule.why}`,
    fix: rule.canBeAccepted ? `${rule.fix} Or name "${rule.id}" in acceptRisks.` : rule.fix,
  }));
}
