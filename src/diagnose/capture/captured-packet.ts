import type { Packet } from "../../model/packet.js";
import type { Finding } from "../../policy/finding.js";

/** A packet from a file that could begin a flow, and where it went. */
export interface CapturedPacket extends Packet {
  /** The address that it was sent to. Absent: not known, as in a text file. */
  readonly destination?: string;
  /** The 16 bytes where a token would stand, as hex digits. Secret. Absent: it has no token's size, or is not known. */
  readonly token?: string;
}

/** What a file of packets held. */
export interface PacketReading {
  /** The valid packets, in order of time. */
  readonly packets: readonly CapturedPacket[];
  /** What is wrong with the file. Each finding has its `path` in the file: `line 3`, `packet 17`, `file`. */
  readonly findings: readonly Finding[];
  /** What was left out, and why, in words. None of it is an error. */
  readonly skipped: readonly string[];
}
