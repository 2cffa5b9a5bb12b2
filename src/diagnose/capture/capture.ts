import type { Finding } from "../../policy/finding.js";
import type { PacketReading } from "./captured-packet.js";
import { listBeginnings } from "./flows.js";
import { findUnwrap } from "./frame.js";
import { readIpPacket } from "./ip-packet.js";
import type { Segment, Skip } from "./segment.js";

/** One record of a capture file. */
export interface CapturedFrame {
  /** Counted from 1. */
  readonly number: number;
  readonly linkType: number;
  readonly atMs: number;
  readonly bytes: DataView;
}

/** What a file's format gives, before the frames are read. */
export interface FrameReading {
  readonly frames: readonly CapturedFrame[];
  readonly findings: readonly Finding[];
  readonly skipped: readonly string[];
}

const skipWords: Readonly<Record<Skip, string>> = {
  "not IP": "no IP packets",
  "later fragment": "later fragments of IP packets, which have no ports; the first ones are read",
  "other protocol": "neither TCP nor UDP nor pings",
  "cut short": "captured with too few bytes to be read (capture again without a snapshot length)",
};

/** Reads the packets in frames, and keeps those that could begin a flow. */
export function readFrames({ frames, findings, skipped }: FrameReading): PacketReading {
  const segments: Segment[] = [];
  const skips = new Map<Skip, number>();
  const unknown = new Map<number, number>();
  for (const { number, linkType, atMs, bytes } of frames) {
    const unwrap = findUnwrap(linkType);
    if (unwrap === undefined) {
      if (!unknown.has(linkType)) unknown.set(linkType, number);
      continue;
    }
    const packet = unwrap(bytes);
    const segment = typeof packet === "string" ? packet : readIpPacket(packet, atMs);
    if (typeof segment === "string") skips.set(segment, (skips.get(segment) ?? 0) + 1);
    else segments.push(segment);
  }
  const packets = listBeginnings(segments);
  const rest = segments.length - packets.length;
  return {
    packets,
    findings: [...findings, ...[...unknown].map(([linkType, number]) => unknownLink(linkType, number))],
    skipped: [
      ...skipped,
      ...[...skips].map(([skip, count]) => `${formatPacketCount(count)}: ${skipWords[skip]}`),
      ...(rest > 0
        ? [`${formatPacketCount(rest)}: answers, or packets of a flow that is established already`]
        : []),
    ],
  };
}

export function formatPacketCount(count: number): string {
  return `${count} ${count === 1 ? "packet" : "packets"}`;
}

export function cutOff(path: string): Finding {
  return {
    path,
    rule: "capture-cut-off",
    message: "is cut off or damaged; what comes before it was read.",
    fix: "End tcpdump by Ctrl-C (SIGINT) before the file is copied, or capture with -U.",
  };
}

function unknownLink(linkType: number, number: number): Finding {
  return {
    path: `packet ${number}`,
    rule: "capture-link-type",
    message: `was captured on a kind of link that can't be read (link type ${linkType}).`,
    fix: "Capture on Ethernet, a tunnel with plain IP, loopback, or `-i any`.",
  };
}
