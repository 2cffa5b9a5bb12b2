import { mkdirSync, writeFileSync } from "node:fs";
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
