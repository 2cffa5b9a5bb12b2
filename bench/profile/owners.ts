/** Milliseconds of a thread, by the owner of the code that kept it busy. */
export type Owners = Readonly<Record<string, number>>;

const most = 7;

/** Smaller shares are not listed. */
const leastShare = 0.02;

/** Milliseconds of all owners together, in one of `count` equal runs. */
export function sumOwners(owners: Owners, count: number): number {
  return Object.values(owners).reduce((sum, ms) => sum + ms, 0) / count;
}

/** Lists who kept a thread busy, the largest share first: "ssh2 50 %, garbage collection 20 %". */
export function listOwners(owners: Owners): string {
  const total = sumOwners(owners, 1);
  return Object.entries(owners)
    .sort(([, one], [, other]) => other - one)
    .filter(([, ms], index) => index < most && ms / total >= leastShare)
    .map(([name, ms]) => `${name} ${((100 * ms) / total).toFixed(0)} %`)
    .join(", ");
}
