/** A part of a listing. The order of parts has no meaning. */
interface Part {
  readonly name: string;
  readonly text: string;
  /** Whether an empty line separates it from a block before it. */
  readonly isBlock?: boolean;
}

/**
 * Puts the parts of a listing (nft's blocks, iptables' chains) into the order of another listing. The kernel lists
 * parts in the order of their creation, so after a refill it lists the same ruleset in another order.
 */
export function arrangeLike(listing: string, model: string): string {
  if (listing === model) return listing;
  const ranks = new Map(splitListing(model).map(({ name }, index) => [name, index]));
  let rank = -1;
  const ranked = splitListing(listing).map((part) => {
    // A part that the other listing lacks stays behind the part that it followed.
    rank = ranks.get(part.name) ?? rank;
    return { part, rank };
  });
  const parts = ranked.sort((one, other) => one.rank - other.rank).map(({ part }) => part);
  return parts
    .map((part, index) => (part.isBlock && parts[index - 1]?.isBlock ? `\n${part.text}` : part.text))
    .join("");
}

/** The rules of an iptables chain are one part, because their order has a meaning. */
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
