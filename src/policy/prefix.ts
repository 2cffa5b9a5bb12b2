import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";

/** An address family. Each rule that looks at an address exists once per family. */
export type Family = "ipv4" | "ipv6";

export const families: readonly Family[] = ["ipv4", "ipv6"];

/** A network prefix in canonical form (RFC 4632, RFC 5952). Its host bits are zero. */
export interface Prefix {
  readonly family: Family;
  readonly address: string;
  readonly length: number;
}

export type PrefixReading =
  | { readonly kind: "prefix"; readonly prefix: Prefix }
  | { readonly kind: "wrong"; readonly message: string; readonly fix: string };

/** Reads `"192.0.2.0/24"`, `"2001:db8::/32"` or a single address. */
export function parsePrefix(text: string): PrefixReading {
  const [address = "", lengthText, ...rest] = text.split("/");
  const family = readFamily(address);
  const maximum = family === "ipv4" ? 32 : 128;
  if (family === undefined || rest.length > 0) {
    return wrong(
      "is not an address or a prefix.",
      'Write it like "192.0.2.0/24", "2001:db8::/32" or "192.0.2.7".',
    );
  }
  const length = lengthText === undefined ? maximum : Number(lengthText);
  if (!/^\d{1,3}$/.test(lengthText ?? "1") || length > maximum) {
    return wrong("has no valid prefix length.", `Give a length from 1 to ${maximum}.`);
  }
  if (length === 0) {
    return wrong(
      "contains every address, so it names nobody in particular.",
      "Name the networks that you mean, or leave the list out.",
    );
  }
  const canonical = zeroHostBits(address, length);
  if (canonical !== ipaddr.parse(address).toString()) {
    return wrong(
      "has bits set beyond its prefix length.",
      `Write "${canonical}/${length}", or a longer prefix.`,
    );
  }
  return { kind: "prefix", prefix: { family, address: canonical, length } };
}

/** Reads the valid prefixes. A parsed policy has only valid ones. */
export function readPrefixes(texts: readonly string[]): readonly Prefix[] {
  return texts.flatMap((text) => {
    const reading = parsePrefix(text);
    return reading.kind === "prefix" ? [reading.prefix] : [];
  });
}

/** Writes a prefix as nftables prints it: a single address has no length. */
export function formatPrefix(prefix: Prefix): string {
  const isAddress = prefix.length === (prefix.family === "ipv4" ? 32 : 128);
  return isAddress ? prefix.address : `${prefix.address}/${prefix.length}`;
}

export function isInPrefix(address: string, prefix: Prefix): boolean {
  const parsed = ipaddr.process(address);
  if (parsed.kind() !== prefix.family) return false;
  return parsed.match(ipaddr.parse(prefix.address), prefix.length);
}

/** Whether an address is in one of the valid prefixes of a list. */
export function isInAny(address: string, prefixes: readonly string[]): boolean {
  return readPrefixes(prefixes).some((prefix) => isInPrefix(address, prefix));
}

/** Sorts prefixes and drops those inside another one, because nftables refuses overlapping intervals. */
export function mergePrefixes(prefixes: readonly Prefix[]): readonly Prefix[] {
  const sorted = prefixes
    .map((prefix) => ({ prefix, bytes: toBytes(prefix) }))
    .sort(
      (one, other) =>
        one.bytes.length - other.bytes.length ||
        compareBytes(one.bytes, other.bytes) ||
        one.prefix.length - other.prefix.length,
    );
  const kept: Prefix[] = [];
  for (const { prefix } of sorted) {
    // A prefix inside another one comes right behind it, or behind others inside it.
    const wide = kept.at(-1);
    if (wide === undefined || !isInPrefix(prefix.address, wide)) kept.push(prefix);
  }
  return kept;
}

function readFamily(address: string): Family | undefined {
  if (isIPv4(address)) return "ipv4";
  // A zone ("%eth0") belongs to one machine only, and a mapped IPv4 address never arrives as IPv6.
  if (!isIPv6(address) || address.includes("%")) return undefined;
  return ipaddr.IPv6.parse(address).isIPv4MappedAddress() ? undefined : "ipv6";
}

function zeroHostBits(address: string, length: number): string {
  const bytes = ipaddr.parse(address).toByteArray();
  return ipaddr
    .fromByteArray(
      bytes.map((byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, length - index * 8))) & 0xff),
    )
    .toString();
}

function toBytes(prefix: Prefix): readonly number[] {
  return ipaddr.parse(prefix.address).toByteArray();
}

function compareBytes(one: readonly number[], other: readonly number[]): number {
  for (const [index, byte] of one.entries()) {
    const difference = byte - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function wrong(message: string, fix: string): PrefixReading {
  return { kind: "wrong", message, fix };
}
