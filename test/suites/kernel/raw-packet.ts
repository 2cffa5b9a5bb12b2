import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import type { LabClient, LabMachine } from "../../../lab/machine";
import type { Family } from "./gated-lab";
import { runNft } from "./gated-lab";

const perl = "/usr/bin/perl"; // Debian's perl-base, which is always there

export interface RawPacket {
  readonly from: LabClient;
  readonly to: LabHost;
  readonly family: Family;
  readonly port: number;
  /** TCP flags (RFC 9293, 3.1). */
  readonly flags: "SYN" | "ACK";
  /** For a packet in two fragments: how many bytes of TCP are in the first. */
  readonly firstFragmentBytes?: number;
  readonly sourcePort?: number;
  /** Whether the host first sends a SYN the other way, so that conntrack knows the two ports. */
  readonly isAnswer?: boolean;
}

export function canSendRawPackets(): boolean {
  try {
    accessSync(perl, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const synFlag = 2;
let nextSourcePort = 9_000;

/**
 * Sends one packet and returns the host's answer. The host's own kernel counts it on its way out, because the sender of
 * the packet has no socket that could receive it.
 */
export async function answerTo(packet: RawPacket): Promise<"accepted" | "reset" | "nothing"> {
  const { from, to, family, port, flags, firstFragmentBytes } = packet;
  const sourcePort = packet.sourcePort ?? nextSourcePort++;
  const answers = `tcp sport ${port} tcp dport ${sourcePort} tcp flags`;
  await runNft(
    to,
    `add table inet witness
    delete table inet witness
    table inet witness {
      counter sent_synack { }
      counter sent_rst { }
      chain output {
        type filter hook output priority raw; policy accept;
        ${answers} & (syn | ack) == syn | ack counter name sent_synack
        ${answers} & rst == rst counter name sent_rst
      }
    }\n`,
  );
  const send = (by: LabMachine, to: LabMachine, words: readonly number[]) => {
    const enter = ["nsenter", "--target", String(by.pid), "--net", "--"];
    const sent = [by[family], to[family], ...words].map(String);
    return runCommand([...enter, perl, join(__dirname, "raw-packet.pl"), ...sent]);
  };
  if (packet.isAnswer) await send(to, from, [port, sourcePort, synFlag]);
  const fragment = firstFragmentBytes === undefined ? [] : [firstFragmentBytes];
  await send(from, to, [sourcePort, port, flags === "SYN" ? synFlag : 16, ...fragment]);
  const counted = async (name: string) => {
    const { stdout } = await to.run(["nft", "list", "counter", "inet", "witness", name]);
    return !stdout.includes("packets 0 ");
  };
  await sleep(100);
  if (await counted("sent_synack")) return "accepted";
  return (await counted("sent_rst")) ? "reset" : "nothing";
}
