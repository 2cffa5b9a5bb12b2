import { unreachable } from "../errors.js";
import { escapeMarkdown, escapeTerminal } from "./escape.js";
import type { Explanation } from "./explanation.js";
import { formatLines } from "./words.js";

/** Writes an explanation as tables: aligned for a terminal, or in Markdown. The text ends with a line break. */
export function renderTable(explanation: Explanation, format: "text" | "markdown" = "text"): string {
  const tables = listTables(explanation);
  switch (format) {
    case "text":
      return tables.map(renderText).join("\n");
    case "markdown":
      return tables.map(renderMarkdown).join("\n");
    default:
      return unreachable(format);
  }
}

interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function listTables({ policy, gates, sources, settings, findings }: Explanation): readonly Table[] {
  const head = ["part", "meaning", "ruleset lines"];
  const toRow = (part: Explanation["sources"][number]) => [part.name, part.meaning, formatLines(part.lines)];
  return [
    ...gates.map((gate) => ({ title: `Gate ${gate.name}`, head, rows: gate.parts.map(toRow) })),
    { title: `Policy ${policy}`, head, rows: [...sources, ...settings].map(toRow) },
    ...(findings.length === 0
      ? []
      : [
          {
            title: "Findings",
            head: ["severity", "where", "finding", "fix"],
            rows: findings.map(({ severity, path, message, rule, fix }) => [
              severity,
              path,
              `${message} [${rule}]`,
              fix,
            ]),
          },
        ]),
  ];
}

function renderText({ title, head, rows }: Table): string {
  const cells = [head, ...rows].map((row) => row.map(escapeTerminal));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [title, "", lines[0] ?? "", rule, ...lines.slice(1)].map((line) => `${line.trimEnd()}\n`).join("");
}

function renderMarkdown({ title, head, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  const body = rows.map((row) => line(row.map(escapeMarkdown)));
  return [`### ${escapeMarkdown(title)}\n\n`, line(head), line(head.map(() => "---")), ...body].join("");
}
