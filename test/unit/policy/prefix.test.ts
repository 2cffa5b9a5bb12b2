import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatPrefix,
  isInPrefix,
  mergePrefixes,
  type Prefix,
  parsePrefix,
} from "../../../src/policy/prefix";
import { type NumberedPrefix, numberedPrefix, writePrefix } from "../arbitraries";

describe("a prefix", () => {
  test.each([
    ["192.0.2.0/24", "192.0.2.0/24"],
    ["192.0.2.7", "192.0.2.7"],
    ["192.0.2.7/32", "192.0.2.7"],
    ["128.0.0.0/1", "128.0.0.0/1"],
    ["192.0.2.128/25", "192.0.2.128/25"],
    ["0.0.0.0/8", "0.0.0.0/8"],
    ["2001:db8::/32", "2001:db8::/32"],
    ["2001:DB8:0:0::/32", "2001:db8::/32"],
    ["2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"],
    ["2001:db8::1/128", "2001:db8::1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["8000::/1", "8000::/1"],
    ["::1", "::1"],
    ["fe80::/10", "fe80::/10"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    // Looks like a mapped address, but is not: ffff is one group too far left.
    ["::ffff:1:2:3", "::ffff:1:2:3"],
  ])("is read from %j in its one form, %s (RFC 4632, RFC 5952)", (text, canonical) => {
    const reading = parsePrefix(text);
    expect(reading.kind).toBe("prefix");
    expect(formatPrefix(read(text))).toBe(canonical);
    expect(parsePrefix(canonical)).toEqual(reading);
  });

  test.each([
    ["192.0.2.1/24", '"192.0.2.0/24"'],
    ["192.0.2.129/25", '"192.0.2.128/25"'],
    ["10.1.0.0/8", '"10.0.0.0/8"'],
    ["1.0.0.0/1", '"0.0.0.0/1"'],
    ["2001:db8::1/32", '"2001:db8::/32"'],
    ["2001:db8:8000::/32", '"2001:db8::/32"'],
  ])("with bits beyond its length, like %s, is refused with what was probably meant", (text, suggestion) => {
    expect(parsePrefix(text)).toEqual({
      kind: "wrong",
      message: "has bits set beyond its prefix length.",
      fix: `Write ${suggestion}, or a longer prefix.`,
    });
  });

  test.each(["0.0.0.0/0", "::/0", "10.0.0.0/0", "2001:db8::/00"])(
    "of every address, like %s, is refused",
    (text) => {
      expect(parsePrefix(text)).toMatchObject({
        kind: "wrong",
        message: expect.stringContaining("every address"),
      });
    },
  );

  test.each([
    ["192.0.2.0/33", "1 to 32"],
    ["2001:db8::/129", "1 to 128"],
    ["192.0.2.0/", "1 to 32"],
    ["192.0.2.0/-1", "1 to 32"],
    ["192.0.2.0/+8", "1 to 32"],
    ["192.0.2.0/ 8", "1 to 32"],
    ["192.0.2.0/8.0", "1 to 32"],
    ["192.0.2.0/1e1", "1 to 32"],
    ["192.0.2.0/0x8", "1 to 32"],
    ["192.0.2.0/255.255.255.0", "1 to 32"],
  ])("with an invalid length, like %s, is refused with the limits", (text, limits) => {
    expect(parsePrefix(text)).toEqual({
      kind: "wrong",
      message: "has no valid prefix length.",
      fix: `Give a length from ${limits}.`,
    });
  });

  test.each([
    ...[
      "",
      " ",
      "/",
      "/24",
      "nonsense",
      "localhost",
      "example.org/24",
      "192.0.2",
      "192.0.2.0.0/24",
      "0xc0000200",
    ],
    ...[
      "256.0.0.0/8",
      "010.0.0.0/8",
      "192.0.2.0/24/24",
      " 192.0.2.0/24",
      "192.0.2.0/24\n",
      "192.0.2.1-192.0.2.9",
    ],
    ...["2001:db8::1::", "2001:db8:::/32", "12345::", "[2001:db8::1]", "fe80::1%eth0", "fe80::%1/64"],
    ...["192.0.2.0/24,198.51.100.0/24", "192.0.2.0/24 } accept", "@set"],
  ])("is not read from %j", (text) => {
    expect(parsePrefix(text)).toMatchObject({ kind: "wrong" });
  });

  // A mapped address never arrives as IPv6, whichever way it is written (RFC 4291, 2.2 and 2.5.5.2).
  test.each([
    "::ffff:192.0.2.7",
    "::FFFF:192.0.2.7/128",
    "::ffff:c000:207",
    "::ffff:0:0/96",
    "0:0:0:0:0:ffff:192.0.2.7",
    "0::ffff:c000:207",
    "0000:0000:0000:0000:0000:FFFF:C000:0207",
    "0:0:0:0:0:ffff:0:0/96",
  ])("that is an IPv4-mapped IPv6 address, like %s, is refused", (text) => {
    expect(parsePrefix(text)).toMatchObject({ kind: "wrong" });
  });

  test("is never read as an address other than the written one", () => {
    // The deprecated IPv4-compatible form is another address than the mapped one (RFC 4291, 2.5.5).
    const reading = parsePrefix("::192.0.2.7");
    if (reading.kind === "prefix")
      expect(formatPrefix(reading.prefix)).toMatch(/^::(c000:207|192\.0\.2\.7)$/);
  });

  test("keeps its number", () => {
    fc.assert(
      fc.property(numberedPrefix(), (numbered) => {
        const prefix = read(writePrefix(numbered));
        expect([prefix.family, prefix.length]).toEqual([numbered.family, numbered.length]);
        expect(toNumber(prefix)).toBe(numbered.first);
      }),
    );
  });
});

describe("an address", () => {
  test.each([
    ["192.0.2.255", "192.0.2.0/24", true],
    ["192.0.3.0", "192.0.2.0/24", false],
    ["192.0.2.7", "192.0.2.7", true],
    ["192.0.2.8", "192.0.2.7", false],
    ["2001:db8:ffff::1", "2001:db8::/32", true],
    ["2001:db9::", "2001:db8::/32", false],
    ["2001:db8::1", "32.0.0.0/3", false],
    ["32.1.13.184", "2001:db8::/32", false],
    // A dual-stack socket writes an IPv4 peer like this.
    ["::ffff:192.0.2.7", "192.0.2.0/24", true],
    ["::ffff:192.0.3.7", "192.0.2.0/24", false],
  ])("%s lies in %s: %s", (address, prefix, isInside) => {
    expect(isInPrefix(address, read(prefix))).toBe(isInside);
  });
});

describe("merged prefixes", () => {
  test.each([
    [[], []],
    [["192.0.2.0/24", "192.0.2.0/24"], ["192.0.2.0/24"]],
    [["192.0.2.7", "192.0.2.0/24"], ["192.0.2.0/24"]],
    [["192.0.2.0/24", "192.0.2.128/25", "192.0.0.0/16"], ["192.0.0.0/16"]],
    [
      ["10.0.0.0/8", "9.0.0.0/8", "100.0.0.0/8"],
      ["9.0.0.0/8", "10.0.0.0/8", "100.0.0.0/8"],
    ],
    [["2001:db8::/33", "2001:db8::/32", "2001:db8::1"], ["2001:db8::/32"]],
    [
      ["2001:db8::2", "2001:db8::10"],
      ["2001:db8::2", "2001:db8::10"],
    ],
  ])("of %j are %j", (texts, expected) => {
    expect(mergePrefixes(texts.map(read)).map(formatPrefix)).toEqual(expected);
  });

  test("cover the same addresses as before, and no address twice", () => {
    fc.assert(
      fc.property(fc.array(numberedPrefix(), { maxLength: 10 }), (numbered) => {
        const merged = mergePrefixes(numbered.map((prefix) => read(writePrefix(prefix))));
        for (const family of ["ipv4", "ipv6"] as const) {
          const wanted = cover(numbered.filter((prefix) => prefix.family === family));
          const spans = merged
            .filter((prefix) => prefix.family === family)
            .map(toNumbered)
            .map(toSpan);
          expect(joinSpans(spans)).toEqual(wanted);
          for (const [index, [first]] of spans.slice(1).entries()) {
            expect(first).toBeGreaterThan(spans[index]?.[1] ?? -1n);
          }
        }
      }),
    );
  });

  test("do not depend on the order in which they were given", () => {
    const shuffled = fc
      .array(numberedPrefix(), { maxLength: 8 })
      .chain((prefixes) =>
        fc.tuple(fc.constant(prefixes), fc.shuffledSubarray(prefixes, { minLength: prefixes.length })),
      );
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        const merge = (list: readonly NumberedPrefix[]) =>
          mergePrefixes(list.map((prefix) => read(writePrefix(prefix))));
        // No rule mixes IPv4 and IPv6, so only the order within a family matters.
        for (const family of ["ipv4", "ipv6"]) {
          const ofFamily = (prefix: Prefix) => prefix.family === family;
          expect(merge(one).filter(ofFamily)).toEqual(merge(other).filter(ofFamily));
        }
      }),
    );
  });
});

function read(text: string): Prefix {
  const reading = parsePrefix(text);
  if (reading.kind === "wrong") throw new Error(`${text} ${reading.message}`);
  return reading.prefix;
}

type Span = readonly [first: bigint, last: bigint];

function cover(prefixes: readonly NumberedPrefix[]): readonly Span[] {
  return joinSpans(prefixes.map(toSpan));
}

function toSpan({ family, first, length }: NumberedPrefix): Span {
  return [first, first + 2n ** BigInt((family === "ipv4" ? 32 : 128) - length) - 1n];
}

function joinSpans(spans: readonly Span[]): readonly Span[] {
  const joined: [bigint, bigint][] = [];
  for (const [first, last] of [...spans].sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0))) {
    const previous = joined.at(-1);
    if (previous !== undefined && first <= previous[1] + 1n)
      previous[1] = last > previous[1] ? last : previous[1];
    else joined.push([first, last]);
  }
  return joined;
}

function toNumbered(prefix: Prefix): NumberedPrefix {
  return { family: prefix.family, first: toNumber(prefix), length: prefix.length };
}

/** Reads an address without the library that the code uses. */
function toNumber({ family, address }: Prefix): bigint {
  const join = (parts: readonly bigint[], bits: bigint) =>
    parts.reduce((sum, part) => (sum << bits) | part, 0n);
  if (family === "ipv4") return join(address.split(".").map(BigInt), 8n);
  const [left = "", right] = address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":").map((group) => BigInt(`0x${group}`)));
  const [head, tail] = [groups(left), groups(right ?? "")];
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => 0n);
  return join([...head, ...(right === undefined ? [] : zeros), ...tail], 16n);
}
