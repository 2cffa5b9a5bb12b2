import type { ListingPart } from "../backend.js";

/** A table's first and last line, and each block. */
export function splitNftablesListing(listing: string): readonly ListingPart[] {
  const parts = listing.matchAll(/^\t(\w.*) \{\n(?:.*\n)*?\t\}\n|^.+(?:\n|$)/gm);
  return [...parts].map(([text, block]) => ({ name: block ?? text, text, isBlock: block !== undefined }));
}
