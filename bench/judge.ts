import type { Facts } from "./facts";
import type { Figure, Goal, Outcome, Place, Series } from "./figure";
import { nameAgain } from "./rounds";
import { compareSamples, measureNoise, median, quantile, ratioNoise } from "./statistics";

/** What one run says about one figure, as results.json has it. */
export interface Result {
  readonly name: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly rows: readonly Row[];
  /** By quantity: the largest factor between two measurements of the same subject in this run. */
  readonly noise: Readonly<Record<string, number>>;
  readonly verdicts: readonly Verdict[];
  readonly notes: readonly string[];
  readonly facts: Facts;
}

export interface Row extends Place {
  readonly unit: string;
  readonly isMoreBetter: boolean;
  readonly count: number;
  readonly median: number;
  readonly p5: number;
  readonly p95: number;
  readonly p99: number;
  /** By reference: the subject's value divided by the reference's. */
  readonly ratios: Readonly<Record<string, Ratio>>;
}

export interface Ratio {
  readonly value: number;
  /** The largest factor by which the ratio of two equal things may differ from 1. */
  readonly noise: number | undefined;
}

export interface Verdict {
  readonly claim: string;
  readonly bound: string;
  readonly value: number | undefined;
  /** As a factor, see {@link Ratio}. */
  readonly noise: number | undefined;
  /** Whether the value lies farther from the bound than noise explains. */
  readonly isCertain: boolean;
  /** `unmeasured`: this run has no such value, for example because it is a quick run. */
  readonly verdict: "met" | "missed" | "unmeasured";
  readonly why?: string;
}

export function judgeFigure(
  figure: Figure,
  { series, notes = [], facts = {} }: Outcome,
  effort: Pick<Result, "rounds" | "seconds">,
): Result {
  const noise = Object.fromEntries(
    [...new Set(series.map(({ quantity }) => quantity))].map((quantity) => {
      return [quantity, noiseOf(series.filter((one) => one.quantity === quantity))];
    }),
  );
  return {
    name: figure.name,
    ...effort,
    rows: series.map((one) => makeRow(one, series, figure.references)),
    noise,
    verdicts: figure.goals.map((goal) => judgeGoal(goal, series)),
    notes,
    facts,
  };
}

/** NaN if nothing was measured twice. */
function noiseOf(series: readonly Series[]): number {
  const twice = series.flatMap((one) => {
    const again = find(series, { ...one, subject: nameAgain(one.subject) });
    return again === undefined ? [] : [measureNoise(compareSamples(one.samples, again.samples))];
  });
  return twice.length > 0 ? Math.max(...twice) : Number.NaN;
}

function makeRow(one: Series, series: readonly Series[], references: readonly string[]): Row {
  const { quantity, scenario, subject, unit, samples, isMoreBetter = false } = one;
  const ratios = references.flatMap((reference) => {
    const other = find(series, { ...one, subject: reference });
    if (other === undefined || other === one) return [];
    const value = compareSamples(samples, other.samples);
    return [[reference, { value, noise: worstNoise(series, one, other) }] as const];
  });
  const [p5 = 0, p95 = 0, p99 = 0] = [0.05, 0.95, 0.99].map((share) => quantile(samples, share));
  const spread = { count: samples.length, median: median(samples), p5, p95, p99 };
  return { quantity, scenario, subject, unit, isMoreBetter, ...spread, ratios: Object.fromEntries(ratios) };
}

/**
 * The larger of two noises: that of the samples themselves, and that of one subject measured twice in this scenario.
 * With too few samples, the largest noise of any scenario. `undefined` if no noise is known.
 */
function worstNoise(series: readonly Series[], of: Series, to: Series): number | undefined {
  const own = series.filter(({ quantity }) => quantity === of.quantity);
  const ofSamples = ratioNoise(of.samples, to.samples);
  const twice = Number.isFinite(ofSamples) ? own.filter(({ scenario }) => scenario === of.scenario) : own;
  const known = [noiseOf(twice), ofSamples].filter(Number.isFinite);
  return known.length === 0 ? undefined : Math.max(...known);
}

function judgeGoal({ claim, of, to, atMost, atLeast, why }: Goal, series: readonly Series[]): Verdict {
  const bound = atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`;
  const subject = find(series, of);
  const reference = to === undefined ? undefined : find(series, to);
  if (subject === undefined || (to !== undefined && reference === undefined)) {
    return { claim, bound, value: undefined, noise: undefined, isCertain: false, verdict: "unmeasured" };
  }
  const value =
    reference === undefined ? median(subject.samples) : compareSamples(subject.samples, reference.samples);
  const limit = atMost ?? atLeast ?? Number.NaN;
  const isMet = atMost === undefined ? value >= limit : value <= limit;
  const noise = reference === undefined ? undefined : worstNoise(series, subject, reference);
  const isCertain = noise === undefined || measureNoise(value / limit) > noise;
  const judged = { claim, bound, value, noise, isCertain };
  if (isMet) return { ...judged, verdict: "met" };
  return { ...judged, verdict: "missed", ...(why === undefined ? {} : { why }) };
}

function find(series: readonly Series[], { quantity, scenario, subject }: Place): Series | undefined {
  return series.find((one) => {
    return one.quantity === quantity && one.scenario === scenario && one.subject === subject;
  });
}
