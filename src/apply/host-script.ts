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

/** What runs on a host: functions for POSIX sh, `main` above all, and nothing that runs by itself. */
export const hostScript = parts
  .map((part) => readFileSync(join(__dirname, "host", `${part}.sh`), "utf8"))
  .join("\n");
