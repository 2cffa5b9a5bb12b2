import { setTimeout as sleep } from "node:timers/promises";
import { type Packets, type Sender, sendKnock } from "../../../lab/packets";

type PacketStep = Packets["steps"][number];

/** What a source does, step by step. */
export type Move =
  | {
      readonly kind: "packet";
      readonly step: PacketStep;
      readonly from: "knocker" | "other";
      /** Packets with the same word have the same source port: a firewall sees one packet, sent again. */
      readonly sourcePort?: string | undefined;
    }
  | { readonly kind: "pause"; readonly ms: number };

/** A TCP SYN, which begins a connection. */
export function syn(port: number, sourcePort?: string): Move {
  return { kind: "packet", step: { tcp: port }, from: "knocker", sourcePort };
}

export function datagram(port: number, sourcePort?: string): Move {
  return { kind: "packet", step: { udp: port }, from: "knocker", sourcePort };
}

/** An ICMP or ICMPv6 echo request. */
export function ping(): Move {
  return { kind: "packet", step: { icmpPayloadBytes: 56 }, from: "knocker" };
}

export function pause(ms: number): Move {
  return { kind: "pause", ms };
}

export function fromOther(move: Move): Move {
  return move.kind === "packet" ? { ...move, from: "other" } : move;
}

/** Long enough for a packet to arrive before the next one leaves. */
const gapMs = 4;
/** Below the ports that the kernel chooses by itself (net.ipv4.ip_local_port_range). */
let nextSourcePort = 10_000;

export async function play(
  moves: readonly Move[],
  to: string,
  senders: { readonly knocker: Sender; readonly other: Sender },
): Promise<void> {
  const ports = new Map<string, number>();
  for (const move of moves) {
    if (move.kind === "pause") {
      await sleep(move.ms);
      continue;
    }
    const { step, from, sourcePort } = move;
    if (sourcePort !== undefined && !ports.has(sourcePort)) ports.set(sourcePort, nextSourcePort++);
    const port = sourcePort === undefined ? {} : { sourcePort: ports.get(sourcePort) ?? 0 };
    await sendKnock(senders[from], { to, steps: [step], ...port });
    await sleep(gapMs);
  }
}
