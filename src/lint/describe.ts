import type { LintRule } from "../policy/lint-rule.js";
import { lintRules } from "./lint.js";

/** Writes the linter's rules as a page of Markdown. */
export function describeRules(): string {
  return [
    "# Rules of the linter",
    "",
    "An error fails the policy. A warning is only reported. To accept a risk, name its rule in the policy's `acceptRisks`: an error then becomes a warning, and a warning is no longer reported. A rule about what a backend can't do has to be followed.",
    "",
    "| rule | severity | can be accepted |",
    "| --- | --- | --- |",
    ...lintRules.map(
      ({ id, severity, canBeAccepted }) =>
        `| [${id}](#${id}) | ${severity} | ${canBeAccepted ? "yes" : "no"} |`,
    ),
    ...lintRules.flatMap(describeRule),
    "",
  ].join("\n");
}

function describeRule({ id, severity, why, fix }: LintRule): readonly string[] {
  return ["", `## ${id}`, "", `${severity}: ${escapeMarkup(why)}`, "", `Fix: ${escapeMarkup(fix)}`];
}

/** Markdown takes `<gate>` for HTML, and the underscores around a word for emphasis. */
function escapeMarkup(text: string): string {
  return text.replace(/[<_*]/g, "\\$&");
}
