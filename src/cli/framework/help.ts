import type { Command } from "./command.js";
import { explainOption, listExitCodes, listOptions, writeOption, writeUsage } from "./usage.js";

const width = 100;

/** Writes what `knockgate --help` prints. */
export function writeOverview(commands: readonly Command[]): string {
  const rows = commands.map(({ name, summary }) => [name, summary] as const);
  return [
    "Usage: knockgate COMMAND [ARGUMENT...] [OPTION...]",
    "",
    "Port knocking as infrastructure code, from the command line.",
    "",
    "Commands:",
    ...writeRows(rows),
    "",
    "`knockgate COMMAND --help` says more about each. `knockgate --version` prints the version.",
    "",
  ].join("\n");
}

/** Writes what `knockgate GROUP --help` prints, for a group of commands of two words. */
export function writeGroup(group: string, commands: readonly Command[]): string {
  const rows = commands
    .filter(({ name }) => name.startsWith(`${group} `))
    .map(({ name, summary }) => [name, summary] as const);
  return [
    `Usage: knockgate ${group} COMMAND [ARGUMENT...] [OPTION...]`,
    "",
    "Commands:",
    ...writeRows(rows),
    "",
    `\`knockgate ${group} COMMAND --help\` says more about each.`,
    "",
  ].join("\n");
}

/** Writes what `knockgate COMMAND --help` prints. */
export function writeHelp(command: Command): string {
  return [
    `Usage: ${writeUsage(command)}`,
    "",
    `${command.summary}.`,
    ...command.description.flatMap((paragraph) => ["", ...wrap(paragraph, width)]),
    ...writeSection(
      "Arguments",
      command.arguments.map(({ name, about }) => [name, about]),
    ),
    ...writeSection(
      "Options",
      listOptions(command).map((option) => [writeOption(option), explainOption(option)]),
    ),
    ...writeSection(
      "Exit codes",
      listExitCodes(command).map(({ code, about }) => [`${code}`, about]),
    ),
    "",
    "Examples:",
    ...command.examples.flatMap(({ line, about }) => [`  # ${about}`, `  ${line}`]),
    "",
  ].join("\n");
}

function writeSection(title: string, rows: readonly (readonly [string, string])[]): readonly string[] {
  return rows.length === 0 ? [] : ["", `${title}:`, ...writeRows(rows)];
}

function writeRows(rows: readonly (readonly [string, string])[]): readonly string[] {
  const left = Math.max(...rows.map(([word]) => word.length)) + 4;
  return rows.flatMap(([word, about]) => {
    return wrap(about, width - left).map(
      (line, index) => `  ${(index === 0 ? word : "").padEnd(left - 2)}${line}`,
    );
  });
}

function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
