import type { ListingPart } from "../backend.js";

/** Each chain's rules are one part, because their order has a meaning. */
export function splitIptablesListing(listing: string): readonly ListingPart[] {
  const parts = new Map<string, string>();
  let family = "";
  for (const line of listing.split(/(?<=\n)/)) {
    family = /^# (.*)/.exec(line)?.[1] ?? family;
    const [, chain = ""] = /^-A (\S+)/.exec(line) ?? [];
    const name = `${family} ${chain === "" ? line : `-A ${chain}`}`;
    parts.set(name, `${parts.get(name) ?? ""}${line}`);
  }
  return [...parts].map(([name, text]) => ({ name, text }));
}
