/** The parts of an IP packet that matter to a knock. */
export type Transport =
  | {
      readonly kind: "tcp";
      readonly sourcePort: number;
      readonly port: number;
      /** Whether it has SYN, and neither ACK nor RST, so it begins a connection. */
      readonly isBeginning: boolean;
    }
  | {
      readonly kind: "udp";
      readonly sourcePort: number;
      readonly port: number;
      readonly payloadBytes: number;
      readonly token: string | undefined;
    }
  | {
      readonly kind: "echo" | "echoReply";
      readonly id: number;
      readonly payloadBytes: number;
      readonly token: string | undefined;
    };

/** One packet of a capture, in either direction. */
export interface Segment {
  readonly atMs: number;
  readonly source: string;
  readonly destination: string;
  readonly transport: Transport;
}

/** Why a packet is not a segment. `capture.ts` has the words for people. */
export type Skip = "not IP" | "later fragment" | "other protocol" | "cut short";
