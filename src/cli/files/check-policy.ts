import { KnockgateError } from "../../errors.js";
import { checkExpectations } from "../../lint/expectations.js";
import { type LintFinding, lintPolicy } from "../../lint/lint.js";
import { formatFinding, formatFindings } from "../../policy/finding.js";
import { parsePolicy } from "../../policy/parse.js";
import type { Policy } from "../../policy/policy.js";
import type { PolicyFile } from "./policy-file.js";

/**
 * Lists all findings about a policy file: those of its shape, or else those of the linter and of the policy's own
 * tests.
 */
export function checkPolicyFile({ value }: PolicyFile): readonly LintFinding[] {
  const reading = parsePolicy(value);
  if (reading.kind === "wrong") return reading.findings.map((found) => ({ ...found, severity: "error" }));
  const failed = checkExpectations(reading.policy);
  return [
    ...lintPolicy(reading.policy),
    ...failed.map((found) => ({ ...found, severity: "error" as const })),
  ];
}

/** Lists the linter's warnings about a policy that a gate can be made of, each on one line or a few. */
export function lintWarnings(policy: Policy): readonly string[] {
  return lintPolicy(policy)
    .filter(({ severity }) => severity === "warning")
    .map(formatFinding);
}

/**
 * Returns the policy of a file, if the provider would make a gate of it.
 *
 * @throws KnockgateError `POLICY_INVALID` with all its errors
 */
export function takePolicy(file: PolicyFile): Policy {
  const reading = parsePolicy(file.value);
  const errors = checkPolicyFile(file).filter(({ severity }) => severity === "error");
  if (reading.kind === "policy" && errors.length === 0) return reading.policy;
  throw new KnockgateError("POLICY_INVALID", `${file.name}:\n${formatFindings(errors)}\n`);
}
