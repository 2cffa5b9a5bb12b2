import type { Figure } from "./figure";
import type { Ratio, Result, Row } from "./judge";

export interface Comparison {
  readonly figure: string;
  /** Quantity, scenario, subject and reference. */
  readonly place: string;
  readonly stored: number;
  readonly now: number;
  /** How many times worse it is than stored; below 1 it is better. */
  readonly worseBy: number;
  /** The largest `worseBy` that noise explains, from the noise of both runs. */
  readonly band: number;
  readonly isRegression: boolean;
}

/**
 * Compares the ratios of Knockgate's own subjects with those of an earlier run. Leaves out a ratio whose noise is
 * unknown in either run, and a ratio that only one of the runs has.
 */
export function compareResults(
  figures: readonly Figure[],
  stored: readonly Result[],
  now: readonly Result[],
): readonly Comparison[] {
  return now.flatMap((result) => {
    const before = stored.find(({ name }) => name === result.name);
    const ours = figures.find(({ name }) => name === result.name)?.ours ?? [];
    return result.rows
      .filter(({ subject }) => ours.includes(subject))
      .flatMap((row) => {
        const old = before?.rows.find((each) => placeOf(each) === placeOf(row));
        return old === undefined ? [] : compareRow(result.name, old, row);
      });
  });
}

function compareRow(figure: string, old: Row, row: Row): readonly Comparison[] {
  return Object.entries(row.ratios).flatMap(([reference, now]) => {
    const stored = old.ratios[reference];
    const band = bandOf(stored, now);
    if (stored === undefined || band === undefined) return [];
    const worseBy = row.isMoreBetter ? stored.value / now.value : now.value / stored.value;
    const place = `${placeOf(row)}, of ${reference}`;
    return [
      { figure, place, stored: stored.value, now: now.value, worseBy, band, isRegression: worseBy > band },
    ];
  });
}

/** Keeps a regression only if it is one again in the second measurement, or was not measured a second time. */
export function confirmRegressions(
  first: readonly Comparison[],
  again: readonly Comparison[],
): readonly Comparison[] {
  return first.map((each) => {
    const other = again.find(({ figure, place }) => figure === each.figure && place === each.place);
    return { ...each, isRegression: each.isRegression && other?.isRegression !== false };
  });
}

/** Multiplies the noise of both runs: both may have been off, and in opposite directions. */
function bandOf(stored: Ratio | undefined, now: Ratio): number | undefined {
  if (typeof stored?.noise !== "number" || now.noise === undefined) return undefined;
  return stored.noise * now.noise;
}

function placeOf({ quantity, scenario, subject }: Row): string {
  return [quantity, scenario, subject].filter((word) => word !== "").join(", ");
}

/** One line for each regression, and one that says how many ratios were compared. */
export function describeComparisons(comparisons: readonly Comparison[]): string {
  const regressions = comparisons.filter(({ isRegression }) => isRegression);
  const lines = regressions.map(({ figure, place, stored, now, worseBy, band }) => {
    const change = `${stored.toPrecision(3)} -> ${now.toPrecision(3)}`;
    return `regression: ${figure}: ${place}: ${change}, ${worseBy.toFixed(3)} times worse; noise explains ${band.toFixed(3)}`;
  });
  return [...lines, `${comparisons.length} ratios compared, ${regressions.length} regressions`].join("\n");
}
