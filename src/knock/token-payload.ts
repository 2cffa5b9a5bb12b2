import type { TokenStep } from "./packet.js";

/**
 * Bytes before the token. ping(8) puts a time of 16 bytes before the pattern that it repeats. The policy has the same
 * numbers; this folder does not import it.
 */
const leadBytes: Readonly<Record<TokenStep["carrier"]["kind"], number>> = { udp: 0, icmpEcho: 16 };

const tokenBytes = 16;

/** Writes the payload of a packet that brings a token. One that closes has one byte more. Secret. */
export function writeTokenPayload({ carrier, token, use }: TokenStep): Buffer {
  const offset = leadBytes[carrier.kind];
  const payload = Buffer.alloc(offset + tokenBytes + (use === "close" ? 1 : 0));
  payload.write(token, offset, "hex");
  return payload;
}
