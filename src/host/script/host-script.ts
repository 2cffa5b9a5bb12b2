import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Later parts call earlier ones. */
const parts = [
  "layout",
  "nftables",
  "iptables",
  "table",
  "pending",
  "former",
  "timer",
  "boot",
  "hold",
  "neighbours",
  "change",
  "probe",
  "commands",
];

/** The host script: functions for POSIX sh, with `main` as the entry. It runs nothing by itself. */
export const hostScript = parts
  .map((part) => readFileSync(join(__dirname, "host", `${part}.sh`), "utf8"))
  .join("\n");
