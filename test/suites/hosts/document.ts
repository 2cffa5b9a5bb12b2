import { type HostResult, type HostRow, sections } from "./row";

const preface = `# Hosts

What Knockgate was tried on. Made by

\`\`\`sh
npm run hosts
\`\`\`

as root on Debian. It plays all rows below and rewrites this file. \`npm test\` plays a part of them.

*Open* is how long a gated port answered without a knock while the act went on. A loop outside of the host connects once
a millisecond. Times are of one machine with 2 processors that did other work, too; yours will differ.
`;

/** Writes docs/hosts.md. A row without a result says so. */
export function renderHosts(
  rows: readonly HostRow[],
  find: (row: HostRow) => HostResult | undefined,
): string {
  const parts = sections.map((section) => {
    const lines = rows.filter((row) => row.section === section).map((row) => renderRow(row, find(row)));
    const head = "| on | act | versions | what was seen | open |\n| --- | --- | --- | --- | --- |";
    return `## ${section}\n\n${head}\n${lines.join("\n")}\n`;
  });
  return `${preface}\n${parts.join("\n")}`;
}

/**
 * Reads what a document says of its rows, by the first two cells of each. So a run of some rows keeps the results of
 * the others.
 */
export function readHosts(text: string): ReadonlyMap<string, HostResult> {
  const lines = text.split("\n").filter((line) => /^\|( [^|]+ \|){4} (\d+ ms)? ?\|$/.test(line));
  return new Map(
    lines.flatMap((line): readonly [string, HostResult][] => {
      const [on = "", act = "", versions = "", result = "", open = ""] = line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim());
      if (versions === "versions") return [];
      const openMs = /^(\d+) ms$/.exec(open)?.[1];
      const found = { versions, result, ...(openMs === undefined ? {} : { openMs: Number(openMs) }) };
      return [[`| ${on} | ${act} |`, found]];
    }),
  );
}

/** The first two cells of a row. A unit test reads them back. */
export function renderHead({ on, act }: HostRow): string {
  return `| ${on} | ${act} |`;
}

function renderRow(row: HostRow, found: HostResult | undefined): string {
  if (found === undefined) return `${renderHead(row)} not run | | |`;
  // Of a kernel's release, the number is what others can compare.
  const versions = found.versions.replace(/\bkernel (\d+(?:\.\d+)*)\S*/g, "kernel $1");
  const open = found.openMs === undefined ? "" : `${found.openMs} ms`;
  return `${renderHead(row)} ${versions} | ${found.result} | ${open} |`;
}
