/** One packet of a knock. Most have the same shape as a policy's step; this folder does not import that type. */
export type KnockStep =
  | { readonly kind: "tcp"; readonly port: number }
  | { readonly kind: "udp"; readonly port: number; readonly payloadBytes?: number | undefined }
  | { readonly kind: "icmpEcho"; readonly payloadBytes: number }
  | TokenStep;

/** A packet that brings a token. It opens the door for its source, or closes it. */
export interface TokenStep {
  readonly kind: "token";
  readonly carrier: { readonly kind: "udp"; readonly port: number } | { readonly kind: "icmpEcho" };
  /** Secret. 32 hex digits. */
  readonly token: string;
  readonly use: "open" | "close";
}

/** What came back from a port: a connection, a refusal, or nothing within the time. */
export type PortAnswer = "open" | "refused" | "silent";
