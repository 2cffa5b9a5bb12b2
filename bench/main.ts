// Compares Knockgate with the floor and with other tools, in one run. usage: npm run bench -- [OPTIONS]
//   --quick           fewer rounds and scenarios: ends within 3 minutes
//   --only A,B,...    only these figures
//   --rounds N        this many rounds, with --only
//   --compare [FILE]  then compares this run's ratios with stored ones (default bench/results.json). The exit code is 1
//                     if one is worse than noise explains, also in a second measurement of its figure
//   --out DIR         where RESULTS.md, results.json and charts go (default: for a full run of all figures bench and
//                     docs/figures; else nowhere). Without it, a figure that --only names and that is measured in full
//                     also writes its part of a page of the documentation
import { readFileSync } from "node:fs";
import { makeDirectory, removeDirectory } from "../lab/directory";
import { type Comparison, compareResults, confirmRegressions, describeComparisons } from "./compare";
import { readFacts } from "./facts";
import type { Figure } from "./figure";
import { figures } from "./figures";
import { judgeFigure, type Result } from "./judge";
import { keepResults, writePages } from "./keep";
import { readOptions } from "./options";
import { type Results, renderReport } from "./report";

const options = readOptions(process.argv.slice(2), figures);

async function main(): Promise<number> {
  const { figures: chosen, isNamed, isQuick, rounds, compareWith, out } = options;
  // Read before the file is overwritten.
  const stored = compareWith === undefined ? undefined : readStored(compareWith);
  const directory = makeDirectory();
  const results: Result[] = [];
  const failures: Record<string, string> = {};
  try {
    for (const figure of chosen) {
      try {
        results.push(await measure(figure, directory));
      } catch (error) {
        console.error(`bench: ${figure.name}: ${error instanceof Error ? error.stack : error}`);
        failures[figure.name] = error instanceof Error ? error.message : String(error);
      }
    }
  } finally {
    removeDirectory(directory);
  }
  const all: Results = { mode: isQuick ? "quick" : "full", facts: readFacts(), results, failures };
  console.log(renderReport(chosen, all, "figures"));
  const isComplete = chosen.length === figures.length && Object.keys(failures).length === 0;
  const isWhole = isComplete && !isQuick && rounds === undefined;
  const kept = keepResults(chosen, all, out, isWhole);
  const pages = isNamed && out === undefined ? writePages(chosen, all) : [];
  for (const file of [...kept, ...pages]) console.log(`bench: wrote ${file}`);
  if (stored === undefined) return Object.keys(failures).length > 0 ? 1 : 0;
  const comparisons = await confirm(stored, results);
  console.log(describeComparisons(comparisons));
  return Object.keys(failures).length > 0 || comparisons.some(({ isRegression }) => isRegression) ? 1 : 0;
}

/** Measures again what looks worse: it is a regression only if it is worse then, too. */
async function confirm(
  stored: readonly Result[],
  results: readonly Result[],
): Promise<readonly Comparison[]> {
  const first = compareResults(figures, stored, results);
  const suspects = figures.filter(({ name }) => {
    return first.some((each) => each.figure === name && each.isRegression);
  });
  if (suspects.length === 0) return first;
  const directory = makeDirectory();
  try {
    const again: Result[] = [];
    for (const figure of suspects) again.push(await measure(figure, directory));
    return confirmRegressions(first, compareResults(figures, stored, again));
  } finally {
    removeDirectory(directory);
  }
}

async function measure(figure: Figure, directory: string): Promise<Result> {
  const say = (line: string) => console.error(`bench: ${figure.name}: ${line}`);
  const rounds = options.rounds ?? figure.rounds[options.isQuick ? "quick" : "full"];
  const startedMs = performance.now();
  say(`${rounds} rounds`);
  const outcome = await figure.run({ isQuick: options.isQuick, rounds, directory, say });
  const seconds = (performance.now() - startedMs) / 1_000;
  say(`done in ${seconds.toFixed(0)} s`);
  return judgeFigure(figure, outcome, { rounds, seconds });
}

function readStored(file: string): readonly Result[] {
  const { results }: Partial<Results> = JSON.parse(readFileSync(file, "utf8"));
  if (Array.isArray(results)) return results;
  throw new Error(`--compare: ${file} holds no results of a run`);
}

main().then(
  // Open handles of a figure must not keep the run from ending. All that they belong to lives in this run's namespaces.
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(2);
  },
);
