import fc from "fast-check";
import { expect, test } from "vitest";
import { readLogTime } from "../../../../src/diagnose/log/log-time";

const at = (iso: string) => Date.parse(iso);

test.each<readonly [string, number | undefined]>([
  ["[12345.678901] x", 12_345_678.901],
  ["[    3.000000] x", 3_000],
  ["[12345.678901] edge kernel: x", 12_345_678.901],
  ["Nov 24 14:05:25 edge kernel: [12345.678901] x", 12_345_678.901],
  ["2026-11-24T14:05:25+0000 edge kernel: x", at("2026-11-24T14:05:25Z")],
  ["2026-11-24T14:05:25.123456+01:00 edge kernel: x", at("2026-11-24T13:05:25.123Z") + 0.456],
  ["2026-11-24T14:05:25,500-02:30 x", at("2026-11-24T16:35:25.5Z")],
  ["2026-11-24T14:05:25Z x", at("2026-11-24T14:05:25Z")],
  ["[Tue Nov 24 14:05:25 2026] x", at("2026-11-24T14:05:25Z")],
  ["[Sun Mar  1 00:00:00 2026] x", at("2026-03-01T00:00:00Z")],
  ["Nov 24 14:05:25 edge kernel: x", at("1972-11-24T14:05:25Z")],
  ["Feb 29 23:59:59.25 edge kernel: x", at("1972-02-29T23:59:59.25Z")],
  ["Mar  1 00:00:00 edge kernel: x", at("1972-03-01T00:00:00Z")],
  ["1764000000.123456 edge kernel: x", 1_764_000_000_123.456],
  ["Nix 24 14:05:25 edge kernel: x", undefined],
  ["knockgate ssh dropped IN=eth0", undefined],
])("the time of %j is %j", (line, expected) => {
  const atMs = readLogTime(line)?.atMs;
  if (expected === undefined) expect(atMs).toBeUndefined();
  else expect(atMs).toBeCloseTo(expected, 2);
});

test("days are those of the calendar, in any year", () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date("1970-01-01"), max: new Date("2399-12-31"), noInvalidDate: true }),
      (date) => {
        expect(readLogTime(date.toISOString())?.atMs).toBe(date.getTime());
      },
    ),
  );
});
