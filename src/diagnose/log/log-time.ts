const dayMs = 86_400_000;
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const clock = String.raw`(\d{2}):(\d{2}):(\d{2}(?:[.,]\d{1,9})?)`;

/** The year for a line without one. It is a leap year, so February 29 is valid. */
const unknownYear = 1972;

interface LogTime {
  readonly atMs: number;
  /** Whether the line has no year, so times go back at the end of a year. */
  readonly isYearless: boolean;
}

type Groups = readonly (string | undefined)[];

/** The forms of the kernel's lines. The first one that fits counts. */
const forms: readonly (readonly [RegExp, (groups: Groups) => LogTime])[] = [
  // The kernel's own clock, since boot: dmesg, journalctl -o short-monotonic, and behind "kernel:" in syslog.
  [/(?:^|\s)\[\s*(\d+\.\d+)\]/, ([, seconds]) => known(Number(seconds) * 1_000)],
  // RFC 3339: journalctl -o short-iso, rsyslog, dmesg --time-format iso.
  [
    new RegExp(String.raw`^(\d{4})-(\d{2})-(\d{2})T${clock}(Z|[+-]\d{2}:?\d{2})?`),
    ([, year, month, day, hours, minutes, seconds, zone]) =>
      known(
        countDays(Number(year), Number(month), Number(day)) * dayMs +
          readClock(hours, minutes, seconds) -
          readZone(zone),
      ),
  ],
  // dmesg -T.
  [
    new RegExp(String.raw`^\[\w{3} (\w{3}) +(\d{1,2}) ${clock} (\d{4})\]`),
    ([, month, day, hours, minutes, seconds, year]) =>
      known(
        countDays(Number(year), monthNumber(month), Number(day)) * dayMs + readClock(hours, minutes, seconds),
      ),
  ],
  // journalctl's default, and syslog's (RFC 3164, 4.1.2).
  [
    new RegExp(String.raw`^(\w{3}) +(\d{1,2}) ${clock}`),
    ([, month, day, hours, minutes, seconds]) => ({
      atMs:
        countDays(unknownYear, monthNumber(month), Number(day)) * dayMs + readClock(hours, minutes, seconds),
      isYearless: true,
    }),
  ],
  // journalctl -o short-unix.
  [/^(\d{9,11}\.\d+)\s/, ([, seconds]) => known(Number(seconds) * 1_000)],
];

/** Reads when a line of a log was written, in milliseconds of its form's clock. */
export function readLogTime(line: string): LogTime | undefined {
  for (const [pattern, read] of forms) {
    const groups = pattern.exec(line);
    const time = groups === null ? undefined : read(groups);
    if (time !== undefined && Number.isFinite(time.atMs)) return time;
  }
  return undefined;
}

function known(atMs: number): LogTime {
  return { atMs, isYearless: false };
}

function monthNumber(name: string | undefined): number {
  const index = months.indexOf(name ?? "");
  return index === -1 ? Number.NaN : index + 1;
}

function readClock(
  hours: string | undefined,
  minutes: string | undefined,
  seconds: string | undefined,
): number {
  const exact = Number(seconds?.replace(",", "."));
  return Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Math.round(exact * 1_000_000) / 1_000;
}

function readZone(zone: string | undefined): number {
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(zone ?? "") ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours ?? 0) * 3_600_000 + Number(minutes ?? 0) * 60_000);
}

/**
 * Counts the days since 1970-01-01 in the Gregorian calendar. Years begin in March, so the leap day is their last day.
 */
function countDays(year: number, month: number, day: number): number {
  const years = month < 3 ? year - 1 : year;
  const sinceMarch = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return (
    years * 365 +
    Math.floor(years / 4) -
    Math.floor(years / 100) +
    Math.floor(years / 400) +
    sinceMarch -
    719_468
  );
}
