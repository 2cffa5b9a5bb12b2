import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { drawChart } from "./chart";
import type { Figure } from "./figure";
import { nameChart, type Results, renderReport } from "./report";
import { root } from "./root";

/**
 * Writes a run's report, figures and charts, and returns the files. A full run of all figures goes where the repository
 * keeps them. Any other run goes only to a folder that is named.
 */
export function keepResults(
  figures: readonly Figure[],
  results: Results,
  out: string | undefined,
  isWhole: boolean,
  repository: string = root,
): readonly string[] {
  if (out === undefined && !isWhole) return [];
  const folder = out ?? join(repository, "bench");
  const charts = out === undefined ? join(repository, "docs", "figures") : join(out, "figures");
  const way = out === undefined ? "../docs/figures" : "figures";
  const files = [
    [join(folder, "RESULTS.md"), renderReport(figures, results, way)],
    [join(folder, "results.json"), writeResults(results)],
    ...figures.flatMap((figure) => {
      const result = results.results.find(({ name }) => name === figure.name);
      if (result === undefined) return [];
      return figure.charts.flatMap((chart, index) =>
        (["light", "dark"] as const).map((theme) => {
          const file = join(charts, `${nameChart(figure.name, index)}-${theme}.svg`);
          return [file, drawChart(figure, chart, result, theme)] as const;
        }),
      );
    }),
  ] as const;
  for (const [file, text] of files) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return files.map(([file]) => file);
}

/**
 * Writes the parts of pages that belong to what was measured in full, between `<!-- NAME -->` and `<!-- /NAME -->`.
 * Returns the files.
 */
export function writePages(
  figures: readonly Figure[],
  { mode, facts, results }: Results,
  repository: string = root,
): readonly string[] {
  if (mode !== "full") return [];
  return figures.flatMap(({ name, page }) => {
    const result = results.find((one) => one.name === name);
    if (page === undefined || result === undefined) return [];
    const file = join(repository, page.file);
    const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
    const [before, , after] = readFileSync(file, "utf8").split(
      new RegExp(`(?<=${begin})([\\s\\S]*)(?=${end})`),
    );
    if (before === undefined || after === undefined) throw new Error(`${file} has no place for ${name}`);
    writeFileSync(file, `${before}\n${page.render(result, facts)}\n\n${after}`);
    return [file];
  });
}

/** Writes a run as JSON with one row a line, so that a diff shows which rows changed. */
export function writeResults(results: Results): string {
  const rows: string[] = [];
  const text = JSON.stringify(
    results,
    (key, value: unknown) => {
      if (key !== "rows" || !Array.isArray(value)) return value;
      return value.map((row) => `row ${rows.push(JSON.stringify(row)) - 1}`);
    },
    2,
  );
  return `${text.replace(/"row (\d+)"/g, (_, index) => rows[Number(index)] ?? "")}\n`;
}
