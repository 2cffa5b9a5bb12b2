import { randomBytes } from "node:crypto";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../lab/command";
import { type BenchHost, doorPort } from "./bench-hosts";
import { waitForLine } from "./wait-for-line";

const spaPort = 62_201;
const stanza = "bench";

export interface Fwknop {
  /** Makes one packet that opens the door for a source. The client's own program makes it, and sends it nowhere. */
  makePacket(source: string): Promise<{ readonly udp: number; readonly payload: Buffer }>;
  /** The client's command that opens the door for a source. */
  command(source: string): readonly string[];
}

/** Closes a host's door and lets fwknopd open it, with fresh keys that are only in files. */
export async function startFwknop({ machine, address }: BenchHost, directory: string): Promise<Fwknop> {
  const keys = {
    KEY_BASE64: randomBytes(32).toString("base64"),
    HMAC_KEY_BASE64: randomBytes(64).toString("base64"),
  };
  const lines = (own: Readonly<Record<string, string>>) => {
    return Object.entries(own)
      .map(([name, value]) => `${name} ${value}\n`)
      .join("");
  };
  const files = {
    "access.conf": lines({ SOURCE: "ANY", ...keys, FW_ACCESS_TIMEOUT: "10", REQUIRE_SOURCE_ADDRESS: "Y" }),
    "fwknopd.conf": lines({
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
  const closed = `*filter
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p tcp --dport ${doorPort} -j DROP
COMMIT\n`;
  await machine.run(["iptables-nft-restore"], { stdin: closed });
  const own = ["-c", "/tmp/fwknop/fwknopd.conf", "-a", "/tmp/fwknop/access.conf"];
  await waitForLine(machine.spawn(["fwknopd", "-f", ...own]), /Starting fwknopd main event loop/);

  const rc = join(directory, "fwknoprc");
  const client = {
    SPA_SERVER: address,
    SPA_SERVER_PORT: `${spaPort}`,
    ...keys,
    USE_HMAC: "Y",
    ACCESS: `tcp/${doorPort}`,
  };
  writeFileSync(rc, `[${stanza}]\n${lines(client)}`, { mode: 0o600 });
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
