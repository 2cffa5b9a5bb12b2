/** A packet from outside to the host, as far as a policy can care. */
export interface Packet {
  /** When it arrives, in milliseconds of a clock that only goes forward. */
  readonly atMs: number;
  /** The sender's address. A machine's addresses of the two families are two sources. */
  readonly source: string;
  /** What a gate can see of it. */
  readonly kind: PacketKind;
}

/**
 * What it is: a SYN, a datagram or an echo request of no known flow, or anything else that belongs to what is
 * established. A SYN is looked at whatever the kernel knows of its ports: it would begin a connection, if it passed.
 */
export type PacketKind =
  | {
      /** A SYN without ACK and RST: what begins a connection. */
      readonly kind: "tcp";
      /** The port it goes to. */
      readonly port: number;
      /** The port it comes from. */
      readonly sourcePort: number;
    }
  | {
      /** A datagram. */
      readonly kind: "udp";
      /** The port it goes to. */
      readonly port: number;
      /** The port it comes from. */
      readonly sourcePort: number;
      /** What it carries behind its UDP header. */
      readonly payloadBytes: number;
    }
  | {
      /** An ICMP or ICMPv6 echo request. */
      readonly kind: "echo";
      /** What it carries behind its ICMP header of 8 bytes. */
      readonly payloadBytes: number;
    }
  | {
      /** Anything of what is established. */
      readonly kind: "established";
    };

/** What becomes of a packet as far as the policy has a say: `passed` on, `accepted` through a door, or `dropped`. */
export type Verdict = "passed" | "accepted" | "dropped";
