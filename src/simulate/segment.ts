/** What an IP packet carries, as far as a knock can care. */
export type Transport =
  | {
      readonly kind: "tcp";
      readonly sourcePort: number;
      readonly port: number;
      /** SYN, and neither ACK nor RST: what begins a connection. */
      readonly isBeginning: boolean;
    }
  | {
      readonly kind: "udp";
      readonly sourcePort: number;
      readonly port: number;
      readonly payloadBytes: number;
    }
  | { readonly kind: "echo" | "echoReply"; readonly id: number; readonly payloadBytes: number };

/** One packet of a capture, whichever way it went. */
export interface Segment {
  readonly atMs: number;
  readonly source: string;
  readonly destination: string;
  readonly transport: Transport;
}

/** Why a packet is no segment; what people are told of it is in `capture.ts`. */
export type Skip = "not IP" | "later fragment" | "other protocol" | "cut short";
