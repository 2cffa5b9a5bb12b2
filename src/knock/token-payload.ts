import type { TokenStep } from "./packet.js";

/**
 * Bytes of payload before the token. `ping -p` repeats 16 bytes over the whole payload, and ping(8) puts a time of 16
 * bytes before it. So a token in an echo request is its second 16 bytes, and any ping can send it.
 */
const leadBytes: Readonly<Record<TokenStep["carrier"]["kind"], number>> = { udp: 0, icmpEcho: 16 };

/** How many bytes a token has. */
export const tokenBytes = 16;

/** Where a token stands in a carrier's payload, and how many bytes the payload has. A closing one has one byte more. */
export function tokenPlace({ kind }: Pick<TokenStep["carrier"], "kind">): {
  readonly offset: number;
  readonly payloadBytes: number;
} {
  const offset = leadBytes[kind];
  return { offset, payloadBytes: offset + tokenBytes };
}

/** Writes the payload of a packet that brings a token. One that closes has one byte more. Secret. */
export function writeTokenPayload({ carrier, token, use }: TokenStep): Buffer {
  const { offset, payloadBytes } = tokenPlace(carrier);
  const payload = Buffer.alloc(payloadBytes + (use === "close" ? 1 : 0));
  payload.write(token, offset, "hex");
  return payload;
}
