import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import { type LintFinding, lintRules } from "../../../lint/lint.js";

/** A finding and where it is. */
export interface PlacedFinding extends LintFinding {
  readonly file: string;
  readonly line?: number | undefined;
}

/** Writes findings as a log of SARIF 2.1.0 (OASIS), which code scanning services read. */
export function writeSarif(findings: readonly PlacedFinding[], version: string): string {
  const linted = lintRules.map(({ id, why, fix, severity }) => ({
    id,
    shortDescription: { text: why },
    help: { text: fix },
    defaultConfiguration: { level: severity },
  }));
  // Findings about a policy's shape or from its own tests have rules that the linter's list does not have.
  const others = new Set(
    findings.map(({ rule }) => rule).filter((id) => !linted.some((rule) => rule.id === id)),
  );
  const rules = [...linted, ...[...others].map((id) => ({ id }))];
  const results = findings.map(({ rule, severity, message, fix, path, file, line }) => ({
    ruleId: rule,
    ruleIndex: rules.findIndex(({ id }) => id === rule),
    level: severity,
    message: { text: `${path}: ${message} Fix: ${fix}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: toUri(file) },
          ...(line === undefined ? {} : { region: { startLine: line } }),
        },
        logicalLocations: [{ fullyQualifiedName: path }],
      },
    ],
  }));
  const driver = { name: "knockgate", version, rules };
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{ tool: { driver }, results }],
  };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}

function toUri(file: string): string {
  return isAbsolute(file) ? pathToFileURL(file).href : encodeURI(file.replaceAll("\\", "/"));
}
