import { applyPatch, diffLines, structuredPatch } from "diff";
import type { Observed } from "./observed.js";

/** A line that only the kernel has (`added`), or only the confirmed ruleset (`removed`). Secret. */
export interface LineChange {
  readonly kind: "added" | "removed";
  /** The block or the family that contains it: `chain ssh_door`, `ipv6`. */
  readonly where: string;
  readonly line: string;
}

/**
 * Describes the ruleset that a host has loaded. Returns the confirmed text, with the lines that were changed outside
 * carried over, so that a diff shows only the drift. Returns an empty text when the table is not loaded. Secret.
 *
 * The words of nft's listing vary with its version. So two listings of one host are compared, never a listing with our
 * own text.
 */
export function describeLoaded(observed: Observed): string {
  const { confirmed, loaded } = observed;
  if (loaded === undefined) return "";
  if (confirmed === undefined) return loaded.listing;
  // If nft's words are too far from ours, return the listing: it still shows what is there.
  return carryOver(confirmed.text, confirmed.listing, loaded.listing) ?? loaded.listing;
}

/**
 * Lists the lines that changed in the loaded ruleset since it was confirmed. They are in our words where the changes
 * can be carried over to our text.
 */
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

/** `line` is `undefined` beyond the end of the text. */
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
