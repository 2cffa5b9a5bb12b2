import { containerRows } from "./containers/rows";
import { deployerRows } from "./deployer-rows";
import { firewallRows } from "./firewall-rows";
import { initRows } from "./init-rows";
import { kernelRows } from "./kernel-rows";
import { releaseRows } from "./release-rows";
import type { HostRow } from "./row";
import { sshdRows } from "./sshd-rows";
import { sudoRows } from "./sudo-rows";

/** All rows of docs/hosts.md. Each test file has its rows in a file of its own beside it. */
export const matrix: readonly HostRow[] = [
  ...releaseRows,
  ...Object.values(kernelRows).flatMap((rows) => Object.values(rows)),
  ...initRows,
  ...firewallRows,
  ...containerRows,
  ...sshdRows,
  ...sudoRows,
  ...deployerRows,
];
