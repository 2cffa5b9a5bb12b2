const unitsMs: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
};

/** Reads the time that an element has left, as nft lists it (`4s984ms`, nft(8)). In milliseconds. */
export function readTimeLeft(said: string): number {
  return [...said.matchAll(/(\d+)(ms|[dhms])/g)].reduce(
    (sum, [, count, unit = ""]) => sum + Number(count) * (unitsMs[unit] ?? 0),
    0,
  );
}
