/** One packet of a knock. It has the same shape as a policy's step; this folder does not import that type. */
export type KnockStep =
  | { readonly kind: "tcp"; readonly port: number }
  | { readonly kind: "udp"; readonly port: number; readonly payloadBytes?: number | undefined }
  | { readonly kind: "icmpEcho"; readonly payloadBytes: number };

/** What came back from a port: a connection, a refusal, or nothing within the time. */
export type PortAnswer = "open" | "refused" | "silent";
