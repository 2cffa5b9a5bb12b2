import { join } from "node:path";
import type { LabMachine } from "./machine";
import { startBeside } from "./start-beside";

/** Packets whose sources may be forged. */
export interface ForgedPackets {
  /** SYNs, or datagrams of this many random bytes. */
  readonly kind: "syn" | { readonly payloadBytes: number };
  /** An IPv4 address. */
  readonly to: string;
  /** An address, `random`, `ADDRESS+N` for N addresses in turn, or `ADDRESS/24s` for one of each /24 from there on. */
  readonly sources: string;
  /** `FIRST-LAST`, up or down, one port for each packet, or a list `A,B,C`, which each source sends as a whole. */
  readonly ports: string;
  readonly count: number;
  readonly perSecond: number;
}

export interface Sent {
  readonly packets: number;
  readonly seconds: number;
}

export interface Sending {
  /** Resolves when all packets are sent, or after `stop`. */
  readonly sent: Promise<Sent>;
  stop(): void;
}

/** Sends packets, to their end. */
export async function sendForged(from: LabMachine, packets: ForgedPackets): Promise<Sent> {
  return (await startForged(from, packets)).sent;
}

/** Resolves when the first packet is about to be sent. */
export function startForged(from: LabMachine, packets: ForgedPackets): Promise<Sending> {
  const { kind, to, sources, ports, count, perSecond } = packets;
  const words = [kind === "syn" ? kind : `udp:${kind.payloadBytes}`, to, sources, ports, count, perSecond];
  const child = startBeside(from, ["perl", join(__dirname, "forged-packets.pl"), ...words.map(String)]);
  let output = "";
  let complaints = "";
  child.stdin.on("error", () => undefined);
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  const sent = new Promise<Sent>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => {
      const [, packetCount, seconds] = /^(\d+) ([\d.]+)$/m.exec(output) ?? [];
      if (seconds === undefined) reject(new Error(`lab: forged packets were not sent: ${complaints.trim()}`));
      else resolve({ packets: Number(packetCount), seconds: Number(seconds) });
    });
  });
  return new Promise((resolve, reject) => {
    sent.catch(reject);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (/^ready$/m.test(output)) resolve({ sent, stop: () => child.stdin.end() });
    });
  });
}

/** Lets a machine take packets from anywhere on a link, as one with a public address does. */
export async function takeAnySource(machine: LabMachine, link = "eth0"): Promise<void> {
  for (const one of ["all", link]) await machine.run(["sysctl", "-qw", `net.ipv4.conf.${one}.rp_filter=0`]);
}
