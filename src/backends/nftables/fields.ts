import type { Family } from "../../policy/prefix.js";

/** The name of a family's ICMP. */
export function icmp(family: Family): string {
  return family === "ipv4" ? "icmp" : "icmpv6";
}

/** The header field that tells the length of an echo request, and how many bytes of headers it counts. */
export function echoLength(family: Family): { readonly field: string; readonly headers: number } {
  return family === "ipv4" ? { field: "ip length", headers: 28 } : { field: "ip6 length", headers: 8 };
}

/** Prints one value, or several as a set without a name. */
export function braces(items: readonly string[]): string {
  return items.length === 1 ? `${items[0]}` : `{ ${items.join(", ")} }`;
}
