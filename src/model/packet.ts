/** A packet from outside to the host: the parts of it that matter to a policy. */
export interface Packet {
  /** When it arrives, in milliseconds of a clock that only goes forward. */
  readonly atMs: number;
  /** The sender's address. A machine's addresses of the two families are two sources. */
  readonly source: string;
  /** What a gate can see of it. */
  readonly kind: PacketKind;
}

/**
 * What a packet is: a SYN, a datagram or an echo request of an unknown flow, or any packet of an established flow. A
 * SYN is looked at whatever the kernel knows of its ports, because it would begin a connection if it passed.
 */
export type PacketKind =
  | {
      /** A SYN without ACK and RST. It begins a connection. */
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
      /** How many bytes it carries behind its UDP header. */
      readonly payloadBytes: number;
    }
  | {
      /** An ICMP or ICMPv6 echo request. */
      readonly kind: "echo";
      /** How many bytes it carries behind its ICMP header of 8 bytes. */
      readonly payloadBytes: number;
    }
  | {
      /** Any packet of an established flow. */
      readonly kind: "established";
    };

/** What a policy does with a packet: it is `passed` on, `accepted` through a door, or `dropped`. */
export type PacketVerdict = "passed" | "accepted" | "dropped";
