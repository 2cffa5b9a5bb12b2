/** A packet from outside to the host, as far as a policy can care. */
export interface Packet {
  /** When it arrives, in milliseconds of a clock that only goes forward. */
  readonly atMs: number;
  /** The sender's address. A machine's addresses of the two families are two sources. */
  readonly source: string;
  readonly kind: PacketKind;
}

/**
 * What it is: the first SYN of a connection, a datagram or an echo request of no known flow, or anything that belongs
 * to what is established.
 */
export type PacketKind =
  | { readonly kind: "tcp"; readonly port: number; readonly sourcePort: number }
  | {
      readonly kind: "udp";
      readonly port: number;
      readonly sourcePort: number;
      readonly payloadBytes: number;
    }
  | { readonly kind: "echo"; readonly payloadBytes: number }
  | { readonly kind: "established" };

/** What becomes of a packet as far as the policy has a say: `passed` on, `accepted` through a door, or `dropped`. */
export type Verdict = "passed" | "accepted" | "dropped";
