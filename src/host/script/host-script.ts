import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Later parts call earlier ones. */
const parts = [
  "layout.sh",
  "tokens.sh",
  "ledger.sh",
  "fill.sh",
  "rest.sh",
  "token-status.sh",
  "../../backends/nftables/tokens.sh",
  "../../backends/nftables/host.sh",
  "../../backends/iptables/lists.sh",
  "../../backends/iptables/host.sh",
  "table.sh",
  "pending.sh",
  "former.sh",
  "timer.sh",
  "boot.sh",
  "fill-timer.sh",
  "hold.sh",
  "neighbours.sh",
  "change.sh",
  "probe.sh",
  "commands.sh",
];

/** The host script: functions for POSIX sh, with `main` as the entry. It runs nothing by itself. */
export const hostScript = parts.map((part) => readFileSync(join(__dirname, part), "utf8")).join("\n");
