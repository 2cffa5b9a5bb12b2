/** Removes counts from a listing: nft since 1.1.4 prints the number of elements behind a set's size. */
export function withoutCounts(listing: string): string {
  return listing.replace(/[ \t]*# count \d+$/gm, "");
}
