import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  doPortRangesOverlap,
  formatPortRange,
  isInPortRange,
  mergePortRanges,
  parsePortRange,
} from "../../../src/policy/port";

describe("a port range", () => {
  test.each([
    ["22", { first: 22, last: 22 }],
    ["1", { first: 1, last: 1 }],
    ["65535", { first: 65_535, last: 65_535 }],
    ["8000-8010", { first: 8_000, last: 8_010 }],
    ["1-65535", { first: 1, last: 65_535 }],
    ["22-22", { first: 22, last: 22 }],
  ])("is read from %j", (text, range) => {
    expect(parsePortRange(text)).toEqual(range);
  });

  test.each([
    ...["", " 22", "22 ", "22\n", "0", "022", "-22", "+22", "22.0", "2e1", "0x16", "٢٢", "ssh", "22,80"],
    ...["65536", "99999", "100000", "22-", "-", "0-22", "80-22", "22-65536", "22--80", "22-80-90", "22 - 80"],
  ])("is not read from %j", (text) => {
    expect(parsePortRange(text)).toBeUndefined();
  });

  test.each([
    [{ first: 22, last: 22 }, "22"],
    [{ first: 8_000, last: 8_010 }, "8000-8010"],
  ])("is written so that it can be read again", (range, text) => {
    expect(formatPortRange(range)).toBe(text);
    expect(parsePortRange(text)).toEqual(range);
  });

  test.each([
    [7_999, false],
    [8_000, true],
    [8_005, true],
    [8_010, true],
    [8_011, false],
  ])("from 8000 to 8010 holds %i: %s", (port, isInside) => {
    expect(isInPortRange(port, { first: 8_000, last: 8_010 })).toBe(isInside);
  });

  test.each([
    ["1-5", "6-9", false],
    ["1-5", "5-9", true],
    ["1-9", "4-5", true],
    ["7", "7", true],
  ])("%s and %s overlap: %s, whichever comes first", (one, other, expected) => {
    const [left, right] = [read(one), read(other)];
    expect(doPortRangesOverlap(left, right)).toBe(expected);
    expect(doPortRangesOverlap(right, left)).toBe(expected);
  });
});

describe("merged port ranges", () => {
  test.each([
    [[], []],
    [["22"], ["22"]],
    [
      ["8000-8010", "22"],
      ["22", "8000-8010"],
    ],
    [["22", "22"], ["22"]],
    [["1-5", "3-9"], ["1-9"]],
    [["3-9", "1-5"], ["1-9"]],
    [["1-9", "3-4", "8-12"], ["1-12"]],
    [["80", "81"], ["80-81"]],
    [
      ["80", "82"],
      ["80", "82"],
    ],
    [
      ["65535", "1", "65534"],
      ["1", "65534-65535"],
    ],
  ])("of %j are %j", (texts, expected) => {
    expect(mergePortRanges(texts.map(read)).map(formatPortRange)).toEqual(expected);
  });

  test("hold the same ports as before, in order, with a gap between any two", () => {
    const range = fc
      .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 8 }))
      .map(([first, more]) => ({ first, last: first + more }));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 8 }), (ranges) => {
        const merged = mergePortRanges(ranges);
        for (let port = 0; port <= 70; port++) {
          expect(merged.some((wide) => isInPortRange(port, wide))).toBe(
            ranges.some((one) => isInPortRange(port, one)),
          );
        }
        for (const [index, next] of merged.slice(1).entries()) {
          expect(next.first).toBeGreaterThan((merged[index]?.last ?? 0) + 1);
        }
      }),
    );
  });
});

function read(text: string) {
  const range = parsePortRange(text);
  if (range === undefined) throw new Error(`not a range: ${text}`);
  return range;
}
