import { firewallRows } from "./firewall-rows";
import type { HostRow } from "./row";

/** All rows of docs/hosts.md. Each test file has its rows in a file of its own beside it. */
export const matrix: readonly HostRow[] = [...firewallRows];
