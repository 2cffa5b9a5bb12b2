/** A part of a listing whose place among the others means nothing, and what it is called. */
interface Part {
  readonly name: string;
  readonly text: string;
  /** Whether an empty line stands between it and its like. */
  readonly isBlock?: boolean;
}

/**
 * Puts the parts of a listing into the order in which another one has them: nft's blocks, iptables' chains. The kernel
 * lists them in the order in which they came, so that after a refill the same ruleset stands there in another order.
 */
export function arrangeLike(listing: string, model: string): string {
  if (listing === model) return listing;
  const ranks = new Map(splitListing(model).map(({ name }, index) => [name, index]));
  let rank = -1;
  const ranked = splitListing(listing).map((part) => {
    // What the other one lacks stays behind what it stood behind.
    rank = ranks.get(part.name) ?? rank;
    return { part, rank };
  });
  const parts = ranked.sort((one, other) => one.rank - other.rank).map(({ part }) => part);
  return parts
    .map((part, index) => (part.isBlock && parts[index - 1]?.isBlock ? `\n${part.text}` : part.text))
    .join("");
}

/** The rules of a chain of iptables are one part: their order means something. */
function splitListing(listing: string): readonly Part[] {
  return /^# ipv4$/m.test(listing) ? splitIptables(listing) : splitNftables(listing);
}

/** A table's first and last line, and each block. */
function splitNftables(listing: string): readonly Part[] {
  const parts = listing.matchAll(/^\t(\w.*) \{\n(?:.*\n)*?\t\}\n|^.+(?:\n|$)/gm);
  return [...parts].map(([text, block]) => ({ name: block ?? text, text, isBlock: block !== undefined }));
}

function splitIptables(listing: string): readonly Part[] {
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
