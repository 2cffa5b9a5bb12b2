import { randomBytes } from "node:crypto";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../lab/command";
import { type BenchHost, doorPort } from "./bench-hosts";
import { closeDoorByIptables } from "./rulesets";
import { waitForLine } from "./wait-for-line";

/** Where its daemon looks for a packet. */
export const spaPort = 62_201;
const stanza = "bench";
const log = "/tmp/fwknop/log";

/** What daemon and client share. */
export type FwknopKeys = Readonly<Record<"KEY_BASE64" | "HMAC_KEY_BASE64", string>>;

export interface Fwknop {
  /** Makes one packet that opens the door for a source. The client's own program makes it, and sends it nowhere. */
  makePacket(source: string): Promise<{ readonly udp: number; readonly payload: Buffer }>;
  /** The client's command that opens the door for a source. */
  command(source: string): readonly string[];
}

export function makeFwknopKeys(): FwknopKeys {
  return {
    KEY_BASE64: randomBytes(32).toString("base64"),
    HMAC_KEY_BASE64: randomBytes(64).toString("base64"),
  };
}

/** Closes a host's door and lets fwknopd open it. The keys are only in files. */
export async function startFwknopd({ machine }: BenchHost, keys: FwknopKeys): Promise<void> {
  const files = {
    "access.conf": writeLines({
      SOURCE: "ANY",
      ...keys,
      FW_ACCESS_TIMEOUT: "10",
      REQUIRE_SOURCE_ADDRESS: "Y",
    }),
    "fwknopd.conf": writeLines({
      PCAP_INTF: "direct;",
      FWKNOP_RUN_DIR: "/tmp/fwknop;",
      FIREWALL_EXE: "/usr/sbin/iptables;",
      ENABLE_SPA_PACKET_AGING: "Y;",
    }),
  };
  await machine.run(["mkdir", "-m", "0700", "/tmp/fwknop"]);
  for (const [name, text] of Object.entries(files)) {
    await machine.run(["sh", "-c", `umask 077; cat >/tmp/fwknop/${name}`], { stdin: text });
  }
  await machine.run(["iptables-nft-restore"], { stdin: closeDoorByIptables });
  const fwknopd = "fwknopd -f -c /tmp/fwknop/fwknopd.conf -a /tmp/fwknop/access.conf";
  const child = machine.spawn(["sh", "-c", `${fwknopd} 2>&1 | tee ${log}`]);
  await waitForLine(child, /Starting fwknopd main event loop/);
}

/** How many times a host's fwknopd has opened the door. */
export async function countFwknopOpenings({ machine }: BenchHost): Promise<number> {
  return Number((await machine.run(["grep", "-c", "Added access rule", log], { check: false })).stdout);
}

/** Writes the client's configuration for a host. */
export function configureFwknop({ address }: BenchHost, keys: FwknopKeys, directory: string): Fwknop {
  const rc = join(directory, "fwknoprc");
  const client = {
    SPA_SERVER: address,
    SPA_SERVER_PORT: `${spaPort}`,
    ...keys,
    USE_HMAC: "Y",
    ACCESS: `tcp/${doorPort}`,
  };
  writeFileSync(rc, `[${stanza}]\n${writeLines(client)}`, { mode: 0o600 });
  chmodSync(rc, 0o600);
  const command = (source: string) => {
    return ["/usr/bin/fwknop", "--rc-file", rc, "--no-save-args", "-n", stanza, "-a", source];
  };
  return {
    command,
    makePacket: async (source) => {
      const file = join(directory, "packet");
      await runCommand([...command(source), "--test", "--save-packet", file]);
      return { udp: spaPort, payload: Buffer.from(readFileSync(file, "latin1").trim(), "latin1") };
    },
  };
}

function writeLines(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}\n`)
    .join("");
}
