/**
 * Writes a time for people, to the minute: `2027-01-15 08:00 UTC`.
 *
 * @param seconds since 1970
 */
export function writeMinute(seconds: number): string {
  return `${writeIso(seconds).slice(0, 16).replace("T", " ")} UTC`;
}

/**
 * Writes a time for people, to the second: `2027-01-15 08:00:00 UTC`.
 *
 * @param seconds since 1970
 */
export function writeSecond(seconds: number): string {
  return `${writeIso(seconds).slice(0, 19).replace("T", " ")} UTC`;
}

/**
 * Writes a time for programs (ISO 8601), in UTC.
 *
 * @param seconds since 1970
 */
export function writeIso(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}
