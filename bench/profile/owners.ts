/** Milliseconds of a thread by whose code kept it busy. */
export type Owners = Readonly<Record<string, number>>;

const most = 7;

/** What a share of less is not worth a word. */
const leastShare = 0.02;

/** Milliseconds that all of them took, in one of so many that were alike. */
export function sumOwners(owners: Owners, count: number): number {
  return Object.values(owners).reduce((sum, ms) => sum + ms, 0) / count;
}

/** Says who kept a thread busy, the most first: "ssh2 50 %, garbage collection 20 %". */
export function listOwners(owners: Owners): string {
  const total = sumOwners(owners, 1);
  return Object.entries(owners)
    .sort(([, one], [, other]) => other - one)
    .filter(([, ms], index) => index < most && ms / total >= leastShare)
    .map(([name, ms]) => `${name} ${((100 * ms) / total).toFixed(0)} %`)
    .join(", ");
}
