/** The median of some values; not a number when there is none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which a share of all lies, from 0 to 1, between the two nearest ones in proportion. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const place = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  if (low === undefined || high === undefined) return Number.NaN;
  return low + (high - low) * (place - Math.floor(place));
}

/**
 * How many times the reference a subject is: the median over rounds where both have as many samples, so that a machine that
 * becomes slower meanwhile does so for both; else the ratio of the medians.
 */
export function compareSamples(of: readonly number[], to: readonly number[]): number {
  if (of.length !== to.length) return median(of) / median(to);
  return median(divide(of, to));
}

/** How far a ratio of a thing to itself lies from 1, whichever way: 1.02 for 1.02 and for 1 / 1.02. */
export function measureNoise(ratio: number): number {
  return Math.exp(Math.abs(Math.log(ratio)));
}

/**
 * How far, as a factor, the ratio of {@link compareSamples} may lie from what it would be after very many rounds: by the ranks
 * around a median between which the true one lies in 99 of 100 runs, whatever the samples' distribution. Not a number for less
 * than eight samples.
 */
export function ratioNoise(of: readonly number[], to: readonly number[]): number {
  if (of.length !== to.length) return medianNoise(of) * medianNoise(to);
  return medianNoise(divide(of, to));
}

function medianNoise(values: readonly number[]): number {
  if (values.length < 8) return Number.NaN;
  const reach = 2.576 / (2 * Math.sqrt(values.length));
  const middle = median(values);
  return Math.max(
    ...[0.5 - reach, 0.5 + reach].map((share) => {
      return measureNoise(quantile(values, Math.min(1, Math.max(0, share))) / middle);
    }),
  );
}

function divide(of: readonly number[], to: readonly number[]): readonly number[] {
  return of.map((value, round) => value / (to[round] ?? Number.NaN));
}
