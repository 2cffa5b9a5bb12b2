/** The median of some values; NaN when there is none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which this share of all values lies, from 0 to 1, interpolated between the two nearest values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const place = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  if (low === undefined || high === undefined) return Number.NaN;
  return low + (high - low) * (place - Math.floor(place));
}

/**
 * The subject's value divided by the reference's: the median over rounds where both have as many samples, so that a
 * machine that slows down slows both. Otherwise the ratio of the medians.
 */
export function compareSamples(of: readonly number[], to: readonly number[]): number {
  if (of.length !== to.length) return median(of) / median(to);
  return median(divide(of, to));
}

/** How far a ratio of two equal things lies from 1, in either direction: 1.02 for 1.02 and for 1 / 1.02. */
export function measureNoise(ratio: number): number {
  return Math.exp(Math.abs(Math.log(ratio)));
}

/**
 * The factor by which the ratio of {@link compareSamples} may differ from its value after very many rounds. It comes
 * from the ranks around the median: the true median lies between them in 99 of 100 runs, whatever the samples'
 * distribution. NaN for less than eight samples.
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
