import { isIP } from "node:net";
import { KnockgateError } from "../errors.js";

type Family = 4 | 6;

/**
 * Finds the addresses of a host in the order in which they are tried.
 *
 * @param family the one to keep to
 * @throws KnockgateError `UNREACHABLE`
 */
export async function findAddresses(host: string, family: Family | undefined): Promise<readonly string[]> {
  const found = isIP(host) === 0 ? await resolve(host) : [host];
  const kept = family === undefined ? found : found.filter((address) => familyOf(address) === family);
  if (kept.length > 0) return orderAddresses(kept);
  throw new KnockgateError("UNREACHABLE", `${host}: it has no IPv${family} address`);
}

/**
 * Orders addresses as RFC 8305, 4, does: as the resolver has them, but the families in turns, beginning with that of the
 * resolver's first choice. Unlike there, one is tried after the other: a door opens for one source address, and a
 * knock that is sent twice at once could be taken for a scan.
 */
export function orderAddresses(addresses: readonly string[]): readonly string[] {
  const [first] = addresses;
  if (first === undefined) return [];
  const same = addresses.filter((address) => familyOf(address) === familyOf(first));
  const other = addresses.filter((address) => familyOf(address) !== familyOf(first));
  const turns = Array.from({ length: Math.max(same.length, other.length) }, (_, turn) => [
    same[turn],
    other[turn],
  ]);
  return [...new Set(turns.flat().filter((address) => address !== undefined))];
}

async function resolve(host: string): Promise<readonly string[]> {
  // Only names need it, and it takes time to load.
  const { lookup } = await import("node:dns/promises");
  const found = await lookup(host, { all: true, verbatim: true }).catch((cause: unknown) => {
    throw new KnockgateError("UNREACHABLE", `${host}: its name has no address`, { cause });
  });
  return found.map(({ address }) => address);
}

function familyOf(address: string): Family {
  // isIP asks for IPv4 first: isIPv6 builds a regular expression, which takes a tenth of the whole start.
  return isIP(address) === 6 ? 6 : 4;
}
