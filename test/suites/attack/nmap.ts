import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { commandEnvironment } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import type { LabMachine } from "../../../lab/machine";

/**
 * Tells whether nmap is there, and prints the remedy when it is not. In CI the tests run in any case, and fail without
 * nmap.
 */
export function canScan(): boolean {
  const isThere = commandEnvironment.PATH.split(":").some((folder) => {
    try {
      accessSync(join(folder, "nmap"), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!isThere) console.warn("skipped: sweeps, because there is no nmap; on Debian: apt-get install nmap");
  return isThere || process.env["CI"] !== undefined;
}

interface Sweep {
  readonly kind: "SYN" | "UDP";
  /** As nmap's -p takes them. */
  readonly ports: string;
  readonly order: "ascending" | "random";
}

/** Sweeps a host's ports with nmap. Resolves when nmap has finished with each port, answered or not. */
export async function sweep(from: LabMachine, to: LabHost, { kind, ports, order }: Sweep): Promise<void> {
  const orders = { ascending: ["-r"], random: [] };
  // The kernel sends only a few ICMP errors a second, for which nmap would wait minutes in a UDP sweep.
  const pace =
    kind === "SYN" ? ["-sS", "--max-retries", "1"] : ["-sU", "--max-retries", "0", "--min-rate", "500"];
  const flags = ["-Pn", "-n", "-T4"];
  const argv = ["nmap", ...pace, ...flags, ...orders[order], "-p", ports, to.ipv4];
  const { stdout } = await from.run(argv, { timeoutMs: 120_000 });
  if (!stdout.includes("1 host up")) throw new Error(`nmap did not sweep the host: ${stdout}`);
}
