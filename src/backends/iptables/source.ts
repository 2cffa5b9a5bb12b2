import { isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";

/** Writes a source as xt_recent lists it: with all digits of an IPv6 address. */
export function writeSource(source: string): string {
  if (!isIPv6(source)) return source;
  return ipaddr.IPv6.parse(source)
    .parts.map((part) => part.toString(16).padStart(4, "0"))
    .join(":");
}
