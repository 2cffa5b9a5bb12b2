/** A packet from outside to the host: the parts of it that matter to a policy. */
export interface Packet {
  /** When it arrives, in milliseconds of a clock that only goes forward. For tokens: since 1970, UTC. */
  readonly atMs: number;
  /** The sender's address. A machine's addresses of the two families are two sources. */
  readonly source: string;
  /** What a gate can see of it. */
  readonly kind: PacketKind;
}

/** A token, by what it was made from. */
export interface SentToken {
  /** The policy's name. */
  readonly policy: string;
  /** The gate's name. */
  readonly gate: string;
  /** The host's name for tokens. */
  readonly host: string;
  /** The number of the slot. */
  readonly slot: number;
  /** The user's key. Secret. */
  readonly key: string;
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
      /** What its payload is, if somebody made it as a token. */
      readonly token?: SentToken;
    }
  | {
      /** An ICMP or ICMPv6 echo request. */
      readonly kind: "echo";
      /** How many bytes it carries behind its ICMP header of 8 bytes. */
      readonly payloadBytes: number;
      /** What its payload has where a token belongs, if somebody made it as a token. */
      readonly token?: SentToken;
    }
  | {
      /** Any packet of an established flow. */
      readonly kind: "established";
    };

/** What a policy does with a packet: it is `passed` on, `accepted` through a door, or `dropped`. */
export type PacketVerdict = "passed" | "accepted" | "dropped";
