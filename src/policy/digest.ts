import { createHash, createHmac } from "node:crypto";

/** SHA-256 in lower-case hex. Secret if the text is secret: a short list of ports can be guessed from its hash. */
export function digestText(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}

/** The first `length` hex digits of HMAC-SHA-256. Shows that a secret changed, and nothing about its value. */
export function digestKeyed(key: string, text: string, length: number): string {
  return createHmac("sha256", key).update(text, "utf8").digest("hex").slice(0, length);
}
