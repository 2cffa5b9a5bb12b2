import ipaddr from "ipaddr.js";
import type { Family } from "../policy/prefix.js";

/** Addresses of one family from the first to the last, as numbers. */
interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
}

interface ReadPrefix {
  readonly family: Family;
  readonly range: AddressRange;
  readonly length: number;
}

type Space = Readonly<Record<Family, readonly AddressRange[]>>;

/**
 * IPv6 blocks whose addresses contain an IPv4 address, which begins at the bit `at`. A machine that has the IPv4
 * address can come from the IPv6 address.
 */
const translations: readonly { readonly block: string; readonly at: number; readonly isInverted?: true }[] = [
  // 6to4 (RFC 3056, 2): the IPv4 address follows the prefix.
  { block: "2002::/16", at: 16 },
  // NAT64 (RFC 6052, 2.1), and a network's own (RFC 8215), here in its longest form.
  { block: "64:ff9b::/96", at: 96 },
  { block: "64:ff9b:1::/48", at: 96 },
  // IPv4-compatible and IPv4-mapped (RFC 4291, 2.5.5), IPv4-translated (RFC 2765, 2.1).
  { block: "::/96", at: 96 },
  { block: "::ffff:0:0/96", at: 96 },
  { block: "::ffff:0:0:0/96", at: 96 },
  // Teredo (RFC 4380, 4): the client's address is at the end, each bit inverted.
  { block: "2001::/32", at: 96, isInverted: true },
];
const blocks = translations.map((translation) => ({
  ...translation,
  whole: readRange(translation.block).range,
}));

/** Prefixes from which no packet comes over the internet (RFC 6890, RFC 4193). */
const inside: Space = listRanges([
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"],
  ...["192.168.0.0/16", "224.0.0.0/3", "fc00::/7", "fe80::/10", "ff00::/8"],
]);

/** All addresses that a machine can have. In IPv4, 0.0.0.0/8, 127.0.0.0/8 and 224.0.0.0/3 belong to no machine. */
const machines: Space = subtract(
  listRanges(["0.0.0.0/1", "128.0.0.0/1", "2000::/3", "fc00::/7"]),
  listRanges(["0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3"]),
);

const allOfIpv4 = 2n ** 32n;

/** Counts the IPv4 addresses that a prefix lets in: its own, or those that its IPv6 addresses contain. */
export function countIpv4(prefix: string): bigint {
  return sum(merge(listIpv4(readRange(prefix))));
}

/**
 * Counts the internet addresses that prefixes let in together, each only once. IPv6 translations of IPv4 count as IPv4,
 * too.
 */
export function countPublic(prefixes: readonly string[]): Readonly<Record<Family, bigint>> {
  const read = prefixes.map(readRange);
  const ipv6 = merge(read.flatMap(({ family, range }) => (family === "ipv6" ? [range] : [])));
  const outside = subtract({ ipv4: merge(read.flatMap(listIpv4)), ipv6 }, inside);
  return { ipv4: sum(outside.ipv4), ipv6: sum(outside.ipv6) };
}

/** Whether prefixes together contain all addresses that a machine can have, for each family. */
export function coversAll(prefixes: readonly string[]): Readonly<Record<Family, boolean>> {
  const left = subtract(machines, listRanges(prefixes));
  return { ipv4: left.ipv4.length === 0, ipv6: left.ipv6.length === 0 };
}

function listIpv4({ family, range, length }: ReadPrefix): readonly AddressRange[] {
  if (family === "ipv4") return [range];
  return blocks.flatMap(({ whole, at, isInverted }): readonly AddressRange[] => {
    if (range.last < whole.first || range.first > whole.last) return [];
    if (length <= at) return [{ first: 0n, last: allOfIpv4 - 1n }];
    const cut = (address: bigint) => (address >> BigInt(96 - at)) % allOfIpv4;
    const [first, last] = [cut(range.first), cut(range.last)];
    return isInverted === true
      ? [{ first: allOfIpv4 - 1n - last, last: allOfIpv4 - 1n - first }]
      : [{ first, last }];
  });
}

/** Lists the ranges of prefixes. They are sorted, and no two overlap or touch. */
function listRanges(prefixes: readonly string[]): Space {
  const read = prefixes.map(readRange);
  const ofFamily = (wanted: Family) =>
    merge(read.filter(({ family }) => family === wanted).map(({ range }) => range));
  return { ipv4: ofFamily("ipv4"), ipv6: ofFamily("ipv6") };
}

function readRange(text: string): ReadPrefix {
  const [address = "", lengthText] = text.split("/");
  const bits = address.includes(":") ? 128 : 32;
  const length = Number(lengthText ?? bits);
  const parts = bits === 32 ? address.split(".") : ipaddr.IPv6.parse(address).parts;
  const first = parts.reduce((number, part) => (number << BigInt(bits / parts.length)) | BigInt(part), 0n);
  const last = first + 2n ** BigInt(bits - length) - 1n;
  return { family: bits === 32 ? "ipv4" : "ipv6", range: { first, last }, length };
}

function merge(ranges: readonly AddressRange[]): readonly AddressRange[] {
  const merged: AddressRange[] = [];
  for (const range of ranges.toSorted((one, other) => (one.first < other.first ? -1 : 1))) {
    const before = merged.at(-1);
    if (before === undefined || range.first > before.last + 1n) merged.push(range);
    else if (range.last > before.last) merged[merged.length - 1] = { first: before.first, last: range.last };
  }
  return merged;
}

/** Subtracts merged ranges from merged ranges, in one pass through both. */
function subtract(whole: Space, part: Space): Space {
  const ofFamily = (family: Family): readonly AddressRange[] => {
    const left: AddressRange[] = [];
    let at = 0;
    for (const { first, last } of whole[family]) {
      let next = first;
      for (; ; at++) {
        const cut = part[family][at];
        if (cut === undefined || cut.first > last) break;
        if (cut.first > next) left.push({ first: next, last: cut.first - 1n });
        if (cut.last >= next) next = cut.last + 1n;
        if (cut.last > last) break;
      }
      if (next <= last) left.push({ first: next, last });
    }
    return left;
  };
  return { ipv4: ofFamily("ipv4"), ipv6: ofFamily("ipv6") };
}

function sum(ranges: readonly AddressRange[]): bigint {
  return ranges.reduce((total, { first, last }) => total + last - first + 1n, 0n);
}
