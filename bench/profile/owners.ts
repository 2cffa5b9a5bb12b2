import { formatNumber, renderTable } from "../table";

/** Milliseconds of a thread by whose code kept it busy. */
export type Owners = Readonly<Record<string, number>>;

const most = 7;

/** What a share of less is not worth a line. */
const leastShare = 0.02;

/** Renders a table of who kept a thread busy, of `count` times the same, the most first. */
export function renderOwners(title: string, owners: Owners, count: number, per: string): string {
  const total = Object.values(owners).reduce((sum, ms) => sum + ms, 0);
  const rows = Object.entries(owners)
    .sort(([, one], [, other]) => other - one)
    .filter(([, ms], index) => index < most && ms / total >= leastShare)
    .map(([name, ms]) => [name, `${formatNumber(ms / count)} ms`, `${((100 * ms) / total).toFixed(0)} %`]);
  const all = ["all", `${formatNumber(total / count)} ms`, "100 %"];
  return `${renderTable([title, per, "share"], [...rows, all])}\n`;
}
