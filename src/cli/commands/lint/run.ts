import { formatFinding } from "../../../policy/finding.js";
import { checkPolicyFile } from "../../files/check-policy.js";
import { readPolicyFile } from "../../files/policy-file.js";
import type { CommandContext, CommandOutcome, Invocation } from "../../framework/command.js";
import { readVersion } from "../../version.js";
import { type PlacedFinding, writeSarif } from "./sarif.js";

/** Runs `knockgate lint`. */
export async function runLint(
  invocation: Invocation,
  { input, paint }: CommandContext,
): Promise<CommandOutcome> {
  const findings: PlacedFinding[] = [];
  for (const name of invocation.arguments) {
    const file = await readPolicyFile(name, input);
    for (const found of checkPolicyFile(file))
      findings.push({ ...found, file: name, line: file.locate(found.path) });
  }
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const exitCode = errors > 0 ? 1 : 0;
  const format = invocation.value("format");
  if (format === "sarif") {
    const text = writeSarif(findings, readVersion());
    return { exitCode, text, json: JSON.parse(text) };
  }
  const json = { errors, warnings: findings.length - errors, findings };
  if (format === "json") return { exitCode, text: `${JSON.stringify(json, undefined, 2)}\n`, json };
  const lines = findings.map((found) => `${describe(found, paint)}\n`);
  const summary = `errors: ${errors}, warnings: ${findings.length - errors}\n`;
  return { exitCode, text: lines.join("") + summary, json };
}

function describe(found: PlacedFinding, paint: CommandContext["paint"]): string {
  const { file, line, severity } = found;
  const place = line === undefined ? file : `${file}:${line}`;
  const word = paint(severity === "error" ? "red" : "yellow", severity);
  return `${place}: ${word}: ${formatFinding(found)}`;
}
