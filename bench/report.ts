import type { Facts } from "./facts";
import type { Figure } from "./figure";
import type { Result } from "./judge";
import { renderRows, renderTable, renderVerdicts } from "./table";

/** The whole of one run, as results.json has it. */
export interface Results {
  readonly mode: "full" | "quick";
  readonly facts: Facts;
  readonly results: readonly Result[];
  /** Figures that ended with an error, by name. */
  readonly failures: Readonly<Record<string, string>>;
}

/**
 * Writes RESULTS.md: first which goals were met and which were not, then each figure. `charts` is the path to their
 * folder.
 */
export function renderReport(figures: readonly Figure[], results: Results, charts: string): string {
  const { mode, facts, failures } = results;
  return [
    "# Figures",
    "",
    mode === "quick"
      ? "From one **quick run**, `npm run bench -- --quick`: with fewer rounds and scenarios than a full one, so that noise is larger."
      : "From one run of `npm run bench`, which writes this file.",
    "Absolute values depend on the machine, which others may share; ratios are between things measured in turns in the same run.",
    "A ratio is the median over the rounds of what a subject took to what the reference took in the same round.",
    "",
    renderTable(
      ["measured", "with"],
      Object.entries(facts).map(([name, value]) => [name, value]),
    ),
    "",
    ...summarize(figures, results),
    ...figures.flatMap((figure) => renderFigure(figure, results, charts)),
    ...Object.entries(failures).flatMap(([name, message]) => [`## ${name}: not measured`, "", message, ""]),
  ].join("\n");
}

function summarize(figures: readonly Figure[], { results }: Results): readonly string[] {
  const verdicts = results.flatMap(({ name, verdicts: own }) => {
    const title = figures.find((figure) => figure.name === name)?.title ?? name;
    return own.map((verdict) => ({ ...verdict, claim: `${title}: ${verdict.claim}` }));
  });
  const count = (verdict: string) => verdicts.filter((each) => each.verdict === verdict).length;
  const line = `Of ${verdicts.length} goals ${count("met")} are met, ${count("missed")} are missed, and ${count("unmeasured")} were not measured in this run.`;
  const missed = verdicts.filter(({ verdict }) => verdict !== "met");
  return ["## Goals", "", line, "", ...(missed.length === 0 ? [] : [renderVerdicts(missed), ""])];
}

function renderFigure(figure: Figure, { mode, results }: Results, charts: string): readonly string[] {
  const result = results.find(({ name }) => name === figure.name);
  if (result === undefined) return [];
  const quick = mode === "quick" ? "--quick " : "";
  const facts = Object.entries(result.facts).map(([name, value]) => `${name}: ${value}`);
  return [
    `## ${figure.title}`,
    "",
    figure.method,
    "",
    `\`npm run bench -- ${quick}--only ${figure.name}\`, ${result.rounds} rounds, ${result.seconds.toFixed(0)} s.`,
    ...(facts.length === 0 ? [] : ["", `With ${facts.join("; ")}.`]),
    "",
    ...(result.verdicts.length === 0 ? [] : [renderVerdicts(result.verdicts), ""]),
    renderRows(figure, result),
    ...figure.charts.flatMap((chart, index) => [
      embedChart(chart.title, `${charts}/${nameChart(figure.name, index)}`),
      "",
    ]),
    ...result.notes.flatMap((note) => [`- ${note}`]),
    ...(result.notes.length === 0 ? [] : [""]),
  ];
}

/** The file of a figure's chart, without the ending for theme and format. */
export function nameChart(figure: string, index: number): string {
  return index === 0 ? figure : `${figure}-${index + 1}`;
}

function embedChart(title: string, path: string): string {
  const dark = `<source media="(prefers-color-scheme: dark)" srcset="${path}-dark.svg">`;
  return `<picture>${dark}<img alt="${title}" src="${path}-light.svg"></picture>`;
}
