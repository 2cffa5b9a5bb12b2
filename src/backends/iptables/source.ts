import { isIPv6 } from "node:net";

/** Writes a source as xt_recent lists it: with all digits of an IPv6 address. */
export function writeSource(source: string): string {
  return isIPv6(source) ? expandAddress(source) : source;
}

function expandAddress(address: string): string {
  const [head = "", tail] = address.split("::");
  const [before, behind] = [head, tail ?? ""].map((part) => part.split(":").filter((group) => group !== ""));
  const missing = 8 - (before?.length ?? 0) - (behind?.length ?? 0);
  const zeros = tail === undefined ? [] : Array.from({ length: missing }, () => "0");
  return [...(before ?? []), ...zeros, ...(behind ?? [])].map((group) => group.padStart(4, "0")).join(":");
}
