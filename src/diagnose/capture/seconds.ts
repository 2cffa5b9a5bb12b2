/** Writes a span of time in seconds, to the millisecond. */
export function formatMilliseconds(ms: number): string {
  return `${Number((ms / 1_000).toFixed(3))} s`;
}
