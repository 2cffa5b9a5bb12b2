import { checkExpectations } from "../check/expectations.js";
import { type LintFinding, lintPolicy } from "../check/lint.js";
import { KnockgateError } from "../errors.js";
import { formatFinding, formatFindings } from "../policy/finding.js";
import { parsePolicy } from "../policy/parse.js";
import type { Policy } from "../policy/policy.js";
import type { PolicyFile } from "./policy-file.js";

/** Lists everything there is to say against a policy file: its shape, or else the linter's and its own tests' findings. */
export function listFindings({ value }: PolicyFile): readonly LintFinding[] {
  const reading = parsePolicy(value);
  if (reading.kind === "wrong") return reading.findings.map((found) => ({ ...found, severity: "error" }));
  const failed = checkExpectations(reading.policy);
  return [
    ...lintPolicy(reading.policy),
    ...failed.map((found) => ({ ...found, severity: "error" as const })),
  ];
}

/** What the linter says against a policy that a gate can be made of all the same, a line or a few each. */
export function listWarnings(policy: Policy): readonly string[] {
  return lintPolicy(policy)
    .filter(({ severity }) => severity === "warning")
    .map(formatFinding);
}

/**
 * Takes a policy that a gate could be made of, as the provider would.
 *
 * @throws KnockgateError `POLICY_INVALID` with all errors that it has
 */
export function takePolicy(file: PolicyFile): Policy {
  const reading = parsePolicy(file.value);
  const errors = listFindings(file).filter(({ severity }) => severity === "error");
  if (reading.kind === "policy" && errors.length === 0) return reading.policy;
  throw new KnockgateError("POLICY_INVALID", `${file.name}:\n${formatFindings(errors)}\n`);
}
