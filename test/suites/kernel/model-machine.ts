import { cpus } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { runCommand } from "../../../lab/command";
import { type LabMachine, placeMachine } from "../../../lab/machine";
import { makeNamespaces, type Namespaces } from "../../../lab/namespaces";
import { letParentEnd } from "../../../lab/parent";
import { startBeside } from "../../../lab/start-beside";
import type { Policy } from "../../../src/policy/policy";
import { machineAddress, machineMac, pumpMac } from "./model-frame";

/** The tool that loads a ruleset's text into the kernel. */
export const variants = ["nftables", "iptables-nft", "iptables-legacy"] as const;
export type Variant = (typeof variants)[number];

export function backendOf(variant: Variant): Policy["backend"] {
  return variant === "nftables" ? "nftables" : "iptables";
}

/** A machine without services, on a link that carries a test's frames. */
export interface ModelMachine {
  /** Replaces all rules that filter packets there. */
  load(variant: Variant, text: string): Promise<void>;
  /** Sends frames. Resolves with all frames that came back, after one that contains these bytes. */
  exchange(frames: readonly string[], lastBack: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

const perl = "/usr/bin/perl";
/**
 * Turns off limits, so that each packet is answered: by default the kernel sends only some errors a second (icmp(7)).
 */
const setup = `
cd /proc/sys/net
for each in ipv4/icmp_ratelimit ipv4/icmp_ratemask ipv6/icmp/ratelimit; do echo 0 >$each; done
for each in ipv4/icmp_msgs_per_sec ipv4/icmp_msgs_burst; do
  [ ! -w $each ] || echo 1000000 >$each
done
echo 0 >ipv4/conf/all/rp_filter
`;

/** Makes a machine, and a namespace for the other end of its link. */
export async function openModelMachine(number: number): Promise<ModelMachine> {
  const [inside, outside] = await Promise.all([
    makeNamespaces(`model${number}`),
    makeNamespaces(`pump${number}`),
  ]);
  const machine = placeMachine(inside, { ipv4: machineAddress.ipv4.text, ipv6: machineAddress.ipv6.text });
  await machine.run(["sh", "-ec", setup]);
  await wire(inside, outside, number);
  const pump = startPump(outside, number);
  return {
    load: (variant, text) => loadText(machine, variant, text),
    exchange: pump,
    close: async () => {
      await Promise.all([inside.end(), outside.end()]);
    },
  };
}

/** The other end has no addresses: only the pump answers there. */
async function wire(inside: Namespaces, outside: Namespaces, number: number): Promise<void> {
  const batch = (where: Namespaces, lines: readonly string[]) => {
    const enter = ["nsenter", "--target", String(where.pid), "--net", "--", "ip", "-batch", "-"];
    return runCommand(enter, { stdin: `${lines.join("\n")}\n` });
  };
  // As in lab/wiring.ts: with the same index at both ends, IPv6 would wait.
  const peer = `type veth peer name pump index ${1_000 + number} address ${pumpMac} netns ${outside.pid}`;
  await batch(inside, [`link add eth0 address ${machineMac} ${peer}`]);
  await batch(outside, ["link set pump addrgenmode none", "link set pump up"]);
  const [far4, far6] = ["192.0.2.2", "fd99::2"];
  await batch(inside, [
    `addr add ${machineAddress.ipv4.text}/24 dev eth0`,
    "addr add fd99::1/64 dev eth0 nodad",
    "link set eth0 up",
    `neigh replace ${far4} lladdr ${pumpMac} nud permanent dev eth0`,
    `neigh replace ${far6} lladdr ${pumpMac} nud permanent dev eth0`,
    `route add 198.18.0.0/15 via ${far4}`,
    `route add fd88::/32 via ${far6}`,
  ]);
}

/** Runs on one processor, so that the kernel takes the frames in their order. */
function startPump(outside: Namespaces, number: number): ModelMachine["exchange"] {
  const pin = ["taskset", "-c", String(number % cpus().length)];
  const child = startBeside(outside, [...pin, perl, join(__dirname, "frame-pump.pl"), "pump"]);
  let complaints = "";
  let received: string[] = [];
  let waiting: { resolve(frames: readonly string[]): void; reject(error: Error): void } | undefined;
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  child.stdin.on("error", () => undefined);
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line !== ".") {
      received.push(line);
      return;
    }
    waiting?.resolve(received);
    received = [];
  });
  child.on("close", () => waiting?.reject(new Error(`the frame pump ended: ${complaints.trim()}`)));
  letParentEnd(child);
  return (frames, lastBack) =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      child.ref();
      child.stdin.write(`${[...frames, `. ${lastBack}`].join("\n")}\n`);
    });
}

/** Replaces all rules that filter packets on a machine by a rendered policy. */
export async function loadText(machine: LabMachine, variant: Variant, text: string): Promise<void> {
  // Clears both families first: a list of xt_recent lives as long as a rule of either family names it.
  for (const family of ["ip", "ip6"] as const) {
    const stdin = "*filter\nCOMMIT\n*mangle\nCOMMIT\n";
    await machine.run([`${family}tables-legacy-restore`, "-w", "10"], { stdin });
  }
  await machine.run(["nft", "flush", "ruleset"]);
  await addText(machine, variant, text);
}

/** Adds a rendered policy to the rules of a machine. */
export async function addText(machine: LabMachine, variant: Variant, text: string): Promise<void> {
  if (variant === "nftables") {
    await machine.run(["nft", "-f", "-"], { stdin: text });
    return;
  }
  const parts = text.split(/^# ipv[46]\n/m);
  for (const [index, family] of (["ip", "ip6"] as const).entries()) {
    const tool = `${family}tables-${variant.replace("iptables-", "")}-restore`;
    await machine.run([tool, "-w", "10", "--noflush"], { stdin: parts[index + 1] ?? "" });
  }
}
