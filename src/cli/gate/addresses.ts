import { isIP } from "node:net";
import { KnockgateError } from "../../errors.js";

type AddressFamily = 4 | 6;

/**
 * Finds the addresses of a host in the order in which they are tried.
 *
 * @param family the only family to use; `undefined` for both
 * @throws KnockgateError `UNREACHABLE` when there is no such address
 */
export async function resolveAddresses(
  host: string,
  family: AddressFamily | undefined,
): Promise<readonly string[]> {
  const found = isIP(host) === 0 ? await resolve(host) : [host];
  const kept = family === undefined ? found : found.filter((address) => familyOf(address) === family);
  if (kept.length > 0) return orderAddresses(kept);
  throw new KnockgateError("UNREACHABLE", `${host}: it has no IPv${family} address`);
}

/**
 * Orders addresses as RFC 8305, 4, does: it keeps the resolver's order, but alternates the families and begins with the
 * family of the first address. Unlike that RFC, it is for trying one address after the other: a gate opens for one
 * source address, and a knock sent twice at once could look like a scan.
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
  // Loaded only for names: it takes time.
  const { lookup } = await import("node:dns/promises");
  const found = await lookup(host, { all: true, verbatim: true }).catch((cause: unknown) => {
    throw new KnockgateError("UNREACHABLE", `${host}: its name has no address`, { cause });
  });
  return found.map(({ address }) => address);
}

function familyOf(address: string): AddressFamily {
  // isIP() checks for IPv4 first. isIPv6() builds a regular expression, which takes a tenth of the whole start.
  return isIP(address) === 6 ? 6 : 4;
}
