import type { Packet } from "../model/packet.js";
import type { Finding } from "../policy/finding.js";

/** A packet that was read from a file: what could begin something, and where it went. */
export interface CapturedPacket extends Packet {
  /** The address that it was sent to; not known of packets in a text file. */
  readonly destination?: string;
}

/** What a file of packets held. */
export interface PacketReading {
  /** In order of time; those that were right, even where others were not. */
  readonly packets: readonly CapturedPacket[];
  /** What is wrong with the file, each with its `path` in it: `line 3`, `packet 17`, `file`. */
  readonly findings: readonly Finding[];
  /** What was left out, and why, in words; nothing of it is wrong. */
  readonly skipped: readonly string[];
}
