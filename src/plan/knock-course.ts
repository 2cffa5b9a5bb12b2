import { isIPv6 } from "node:net";
import type { Policy } from "../policy/policy.js";
import { listName } from "../backends/iptables/names.js";
import { familySetName } from "../backends/nftables/names.js";
import { openSet, progressSet } from "../ruleset/set-names.js";

/**
 * Names the kernel's set (nftables) or list (xt_recent) of sources that have taken exactly the first `position` steps
 * of a gate.
 */
export function nameTakenSet(
  policy: Policy,
  { gate, position, of }: { readonly gate: string; readonly position: number; readonly of: number },
  source: string,
): string {
  const set = position === of ? openSet(gate) : progressSet(gate, position);
  if (policy.backend === "iptables") return listName(policy.name, set);
  return familySetName(set, isIPv6(source) ? "ipv6" : "ipv4");
}

/** Writes a source as the host's kernel lists it: xt_recent prints all digits of an IPv6 address. */
export function writeSource({ backend }: Policy, source: string): string {
  return backend === "iptables" && isIPv6(source) ? expandAddress(source) : source;
}

function expandAddress(address: string): string {
  const [head = "", tail] = address.split("::");
  const [before, behind] = [head, tail ?? ""].map((part) => part.split(":").filter((group) => group !== ""));
  const missing = 8 - (before?.length ?? 0) - (behind?.length ?? 0);
  const zeros = tail === undefined ? [] : Array.from({ length: missing }, () => "0");
  return [...(before ?? []), ...zeros, ...(behind ?? [])].map((group) => group.padStart(4, "0")).join(":");
}

/**
 * Reads how fresh a source is in a set, as a number that grows when the source is added again. For nft it is the time
 * left (`4s984ms`, nft(8)) in milliseconds, for xt_recent the tick at which it last saw the source.
 */
export function readFreshness(said: string): number {
  const units: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };
  if (/^\d+$/.test(said)) return Number(said);
  return [...said.matchAll(/(\d+)(ms|[dhms])/g)].reduce(
    (sum, [, count, unit = ""]) => sum + Number(count) * (units[unit] ?? 0),
    0,
  );
}

/** Describes how far a knock came, when the host took `taken` of its `of` steps. */
export function describeCourse(taken: number, of: number, source: string): string {
  const knock = `of one more knock from ${source}`;
  if (taken === of) {
    return `The host saw all ${of} steps ${knock} and opened the gate: does another firewall drop the port, or does nothing listen there?`;
  }
  const seen = taken === 0 ? `saw no step ${knock}` : `saw step ${taken} of ${of} ${knock}`;
  return `The host ${seen}; step ${taken + 1} did not reach the gate: does it get lost on the way, or does another firewall take it?`;
}
