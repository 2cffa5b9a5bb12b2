import { createHmac } from "node:crypto";
import { KnockgateError } from "../errors.js";
import { tokenBytes } from "../knock/token-payload.js";
import { digestKeyed } from "./digest.js";
import type { TokenSettings } from "./policy.js";

/** What a token is for. */
export interface TokenPurpose {
  /** The policy's name. */
  readonly policy: string;
  /** The gate's name. */
  readonly gate: string;
  /** The host's name for tokens, see docs/tokens.md. */
  readonly host: string;
  /** The number of the slot: seconds since 1970 (UTC), divided by `slotSeconds`, rounded down. */
  readonly slot: number;
}

/** Who a key is for. */
export interface KeyOwner {
  /** Secret. At least 32 characters, and random: all keys can be made from it. */
  readonly seed: string;
  /** The policy's name. */
  readonly policy: string;
  /** The user's name. */
  readonly user: string;
  /** Counts up when the user gets a new key. Default: 1. */
  readonly generation?: number | undefined;
}

/** The least that a seed may have. 32 characters of base64 hold 192 bits. */
const leastSeed = 32;

/**
 * Makes the token of a user for one slot, as 32 hex digits.
 *
 * The token is the first 16 bytes of HMAC-SHA-256 (RFC 2104). The key is the user's key as ASCII. The message is
 * `knockgate-token-1`, the policy, the gate, the host and the slot in decimal, as UTF-8 with a zero byte between. A byte
 * 0x0a is replaced by 0x0b, because a shell that writes to /dev/udp sends a datagram at each line's end.
 *
 * @param key secret
 */
export function tokenOf(key: string, { policy, gate, host, slot }: TokenPurpose): string {
  const message = ["knockgate-token-1", policy, gate, host, `${slot}`].join("\0");
  const digest = createHmac("sha256", key).update(message, "utf8").digest().subarray(0, tokenBytes);
  return Buffer.from(digest.map((byte) => (byte === 0x0a ? 0x0b : byte))).toString("hex");
}

/**
 * Makes a user's key from one secret seed, as 43 characters of base64url (RFC 4648, 5). So a program keeps one secret
 * for all users. Another `generation` is another key.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID`: the seed has fewer than 32 characters, or `generation` is not a whole
 *   number from 1.
 * @example
 * const seed = config.requireSecret("knockSeed");
 * const key = seed.apply((seed) => userKey({ seed, policy: "edge", user: "ada", generation: 2 }));
 */
export function userKey({ seed, policy, user, generation = 1 }: KeyOwner): string {
  if (seed.length < leastSeed)
    refuse(`the seed needs at least ${leastSeed} characters from a random generator`);
  if (!Number.isSafeInteger(generation) || generation < 1)
    refuse(`generation must be a whole number from 1, and is ${generation}`);
  const message = ["knockgate-key-1", policy, user, `${generation}`].join("\0");
  return createHmac("sha256", seed).update(message, "utf8").digest("base64url");
}

/**
 * Names the tokens that a host makes of a key, without showing the key: 8 hex digits. Other settings have another name.
 * A key is random and long, so 32 bits of a digest do not help to guess it.
 */
export function labelTokens(key: string, { slotSeconds, horizonDays, graceSeconds }: TokenSettings): string {
  return digestKeyed(key, ["knockgate-set-1", slotSeconds, horizonDays, graceSeconds].join("\0"), 8);
}

/**
 * The slot of a time.
 *
 * @param ms since 1970, UTC
 */
export function slotAt(ms: number, slotSeconds: number): number {
  return Math.floor(ms / 1_000 / slotSeconds);
}

/** Whether tokens can be bound to a host of this name: a name or an address, without what ends a word or moves a cursor. */
export function isTokenHost(host: string): boolean {
  return /^[\w.:%-]{1,255}$/.test(host);
}

/** How many slots a host holds tokens of at once: those to the horizon, and those in their grace. */
export function countSlots({ slotSeconds, horizonDays, graceSeconds }: TokenSettings): number {
  return Math.ceil((horizonDays * 86_400) / slotSeconds) + Math.ceil(graceSeconds / slotSeconds) + 1;
}

function refuse(what: string): never {
  throw new KnockgateError("ARGUMENTS_INVALID", `userKey: ${what}.`);
}
