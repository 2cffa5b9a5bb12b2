/** Takes out of a listing what comes and goes: nft since 1.1.4 says behind a set's size how many elements it has. */
export function withoutCounts(listing: string): string {
  return listing.replace(/[ \t]*# count \d+$/gm, "");
}
