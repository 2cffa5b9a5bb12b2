import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";

/**
 * Writes an address in its canonical form (RFC 5952), so that addresses can be compared. Returns `undefined` when the
 * text is not the address of a source: a zone belongs to one machine only, and a mapped IPv4 address never arrives as
 * IPv6.
 */
export function readAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const address = ipaddr.IPv6.parse(text);
  return address.isIPv4MappedAddress() ? undefined : address.toString();
}

/** Writes the 4 or 16 bytes of an address. */
export function formatAddress(bytes: Uint8Array): string {
  return ipaddr.fromByteArray([...bytes]).toString();
}
