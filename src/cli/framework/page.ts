import type { Command } from "./command.js";
import { explainOption, listExitCodes, listOptions, writeOption, writeUsage } from "./usage.js";

/** Writes a command's page of Markdown, docs/cli/NAME.md. */
export function writePage(command: Command): string {
  const rows = (entries: readonly (readonly [string, string])[], head: string): readonly string[] => {
    if (entries.length === 0) return [];
    const lines = entries.map(([word, about]) => `| \`${word}\` | ${escapeMarkup(about)} |`);
    return ["", `| ${head} | what it is |`, "| --- | --- |", ...lines];
  };
  return [
    `# knockgate ${command.name}`,
    "",
    `${escapeMarkup(command.summary)}.`,
    "",
    "```",
    writeUsage(command),
    "```",
    ...command.description.flatMap((paragraph) => ["", escapeMarkup(paragraph)]),
    ...rows(
      command.arguments.map(({ name, about }) => [name, about]),
      "argument",
    ),
    ...rows(
      listOptions(command).map((option) => [writeOption(option), explainOption(option)]),
      "option",
    ),
    ...rows(
      listExitCodes(command).map(({ code, about }) => [`${code}`, about]),
      "exit code",
    ),
    "",
    "## Examples",
    ...command.examples.flatMap(({ line, about }) => [
      "",
      `${escapeMarkup(about)}:`,
      "",
      "```sh",
      line,
      "```",
    ]),
    "",
  ].join("\n");
}

/** Writes docs/cli/README.md, which links to the pages. */
export function writeContents(commands: readonly Command[]): string {
  return [
    "# The command line",
    "",
    "`knockgate COMMAND --help` prints what these pages say, and `docs/man/knockgate.1` has it for man(1). All are made from",
    "the descriptions in `src/cli/commands/` by `npx vitest run test/unit/cli/framework/pages.test.ts -u`.",
    "",
    "| command | what it does |",
    "| --- | --- |",
    ...commands.map((command) => {
      return `| [${command.name}](${namePage(command)}) | ${escapeMarkup(command.summary)} |`;
    }),
    "",
  ].join("\n");
}

export function namePage({ name }: Command): string {
  return `${name.replaceAll(" ", "-")}.md`;
}

/**
 * Escapes what Markdown would take for markup. Text in backquotes stays as it is, except `|`, which ends a table's
 * cell.
 */
function escapeMarkup(text: string): string {
  return text
    .split("`")
    .map((part, index) => (index % 2 === 0 ? part.replace(/[<_*|]/g, "\\$&") : part.replaceAll("|", "\\|")))
    .join("`");
}
