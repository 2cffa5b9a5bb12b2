import { applyPatch, structuredPatch } from "diff";
import type { Observed } from "./observed.js";

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
  if (confirmed.listing === loaded.listing) return confirmed.text;
  const patch = structuredPatch("", "", confirmed.listing, loaded.listing, "", "", { context: 1 });
  const patched = applyPatch(confirmed.text, patch, { fuzzFactor: 2, compareLine: isSameLine });
  // Where nft's words are too far from ours, the listing itself still shows what is there.
  return patched === false ? loaded.listing : patched;
}

/** Beyond the text's end there is no line to compare. */
function isSameLine(_number: number, line: string | undefined, _operation: string, other: string): boolean {
  return line?.trim() === other.trim();
}
