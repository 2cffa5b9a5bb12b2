import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The parts of docs/hosts.md, in order. */
export const sections = [
  "Debian releases",
  "Other kernels",
  "Without systemd",
  "Other firewalls and container engines",
  "sshd and sudo as distributions ship them",
  "Deployers",
] as const;

/** What is tried on one kind of host, or from one kind of deployer: a line of docs/hosts.md. */
export interface HostRow {
  /** Also the name of its file of results: lower case, digits and dashes. */
  readonly id: string;
  readonly section: (typeof sections)[number];
  /** What kind of host or deployer: `Debian 11, nftables`. */
  readonly on: string;
  /** What is done: `restart of docker.service`. */
  readonly act: string;
}

/** What a run of a row found. */
export interface HostResult {
  /** The versions that the run asked for, not those that it expects: `nft 0.9.8, kernel 6.18`. */
  readonly versions: string;
  /** What was seen, as a sentence without its full stop. */
  readonly result: string;
  /** How long a gated port answered without a knock during the act, in ms. Absent: it was not watched. */
  readonly openMs?: number;
}

/** Results of all runs on this machine. `npm run hosts` makes docs/hosts.md of them. */
export const resultsFolder = join(
  __dirname,
  "..",
  "..",
  "..",
  "node_modules",
  ".cache",
  "knockgate",
  "hosts",
);

/** Keeps the result of a row that passed. */
export function recordResult({ id }: HostRow, result: HostResult): void {
  mkdirSync(resultsFolder, { recursive: true });
  writeFileSync(join(resultsFolder, `${id}.json`), `${JSON.stringify(result, undefined, 2)}\n`);
}
