import { backendOf } from "../../backends/backends.js";
import type { Policy } from "../../policy/policy.js";
import { openSet, progressSet } from "../../ruleset/set-names.js";

/** Names the kernel's set of sources that have taken exactly the first `position` of a gate's `of` steps. */
export function nameTakenSet(
  policy: Policy,
  { gate, position, of }: { readonly gate: string; readonly position: number; readonly of: number },
  source: string,
): string {
  const set = position === of ? openSet(gate) : progressSet(gate, position);
  return backendOf(policy).nameSet(policy.name, set, source);
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

/** Describes what a host did with one more token. */
export function describeToken(isTaken: boolean, source: string): string {
  return isTaken
    ? `The host took one more token from ${source} and opened the gate: does another firewall drop the port, or does nothing listen there?`
    : `The host did not take one more token from ${source}: does it get lost on the way, or does another firewall drop it? Is the host's clock right?`;
}
