import { applyPatch, diffLines, structuredPatch } from "diff";
import type { Observed } from "./observed.js";

/** A line that is in the kernel and was not confirmed, or the other way round. Secret. */
export interface LineChange {
  readonly kind: "added" | "removed";
  /** The block or the family that it stands in: `chain ssh_door`, `ipv6`. */
  readonly where: string;
  readonly line: string;
}

/**
 * Writes the ruleset that a host really has: the confirmed text when the kernel has just that, else the confirmed
 * text with what was changed outside carried over, line by line, so that a diff with it shows the drift and nothing
 * else. Empty when the table is not loaded. Secret.
 *
 * nft lists a ruleset in words that vary with its version, so two listings of one host are compared, never a listing
 * with our own text.
 */
export function describeLoaded(observed: Observed): string {
  const { confirmed, loaded } = observed;
  if (loaded === undefined) return "";
  if (confirmed === undefined) return loaded.listing;
  // Where nft's words are too far from ours, the listing itself still shows what is there.
  return carryOver(confirmed.text, confirmed.listing, loaded.listing) ?? loaded.listing;
}

/** Lists what somebody changed in the loaded ruleset since it was confirmed, in our words where that can be done. */
export function listChangedLines({ confirmed, loaded }: Observed): readonly LineChange[] {
  if (confirmed === undefined || loaded === undefined || confirmed.listing === loaded.listing) return [];
  const carried = carryOver(confirmed.text, confirmed.listing, loaded.listing);
  return carried === undefined
    ? compareLines(confirmed.listing, loaded.listing)
    : compareLines(confirmed.text, carried);
}

function carryOver(text: string, before: string, after: string): string | undefined {
  if (before === after) return text;
  const patch = structuredPatch("", "", before, after, "", "", { context: 1 });
  const patched = applyPatch(text, patch, { fuzzFactor: 2, compareLine: isSameLine });
  return patched === false ? undefined : patched;
}

/** Beyond the text's end there is no line to compare. */
function isSameLine(_number: number, line: string | undefined, _operation: string, other: string): boolean {
  return line?.trim() === other.trim();
}

function compareLines(before: string, after: string): readonly LineChange[] {
  const changes: LineChange[] = [];
  let where = "";
  for (const part of diffLines(before, after)) {
    const kind = part.added ? "added" : part.removed ? "removed" : undefined;
    for (const line of part.value.split("\n")) {
      where = /^(?:\t(?=\w)|# )([^{]*?)(?: \{)?$/.exec(line)?.[1] ?? where;
      if (kind !== undefined && !/^[\s}]*$/.test(line)) changes.push({ kind, where, line });
    }
  }
  return changes;
}
