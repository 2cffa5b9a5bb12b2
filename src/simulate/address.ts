import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";

/**
 * Writes an address the one way it is compared (RFC 5952); `undefined` when the text is none. A zone belongs to one
 * machine alone, and a mapped IPv4 address never arrives as IPv6: neither is a source.
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
