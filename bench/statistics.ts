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
  return median(of.map((value, round) => value / (to[round] ?? Number.NaN)));
}

/** How far a ratio of a thing to itself lies from 1, whichever way: 1.02 for 1.02 and for 1 / 1.02. */
export function measureNoise(ratio: number): number {
  return Math.exp(Math.abs(Math.log(ratio)));
}

/** The noise of samples against themselves: every second of them to the others. Not a number for less than four. */
export function splitNoise(samples: readonly number[]): number {
  if (samples.length < 4) return Number.NaN;
  const [even, odd] = [0, 1].map((rest) => samples.filter((_, index) => index % 2 === rest));
  return measureNoise(median(even ?? []) / median(odd ?? []));
}
