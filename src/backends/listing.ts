import type { ListingPart } from "./backend.js";

/**
 * Puts the parts of a listing (nft's blocks, iptables' chains) into the order of another listing. The kernel lists
 * parts in the order of their creation, so after a refill it lists the same ruleset in another order.
 */
export function arrangeLike(
  listing: string,
  model: string,
  split: (listing: string) => readonly ListingPart[],
): string {
  if (listing === model) return listing;
  const ranks = new Map(split(model).map(({ name }, index) => [name, index]));
  let rank = -1;
  const ranked = split(listing).map((part) => {
    // A part that the other listing lacks stays behind the part that it followed.
    rank = ranks.get(part.name) ?? rank;
    return { part, rank };
  });
  const parts = ranked.sort((one, other) => one.rank - other.rank).map(({ part }) => part);
  return parts
    .map((part, index) => (part.isBlock && parts[index - 1]?.isBlock ? `\n${part.text}` : part.text))
    .join("");
}
