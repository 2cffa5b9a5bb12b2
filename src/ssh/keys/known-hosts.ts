import { createHmac } from "node:crypto";
import { setImmediate as letOthersGo } from "node:timers/promises";
import { makeSemaphore } from "../semaphore.js";
import { readKey, readKeyType } from "./key-blob.js";

/** The keys that known_hosts has for a name. */
export interface KnownKeys {
  /** Key blobs (RFC 4253, 6.6). */
  readonly keys: readonly Buffer[];
  /** Revoked keys of that name. */
  readonly revoked: readonly Buffer[];
  /** Whether an unmarked line has a key for the name, revoked or not. */
  readonly isListed: boolean;
  /**
   * Whether a line marked `@cert-authority` names it. Such a line vouches for certificates; its key is not a host key.
   */
  readonly hasAuthority: boolean;
}

/** Some milliseconds of work: each hashed name costs one hash to compare. */
const linesAtOnce = 500;
/** One file at a time: files read together would all take their next lines in the same round of the event loop. */
const semaphore = makeSemaphore(1);

/**
 * Finds the keys of a host as ssh does: those of `[HOST]:PORT`, or those of the plain host name where `[HOST]:PORT` has
 * no key at all (check_host_key in OpenSSH's sshconnect.c, "checking without port identifier"). A key that is revoked
 * for `[HOST]:PORT` is not trusted under the plain name either.
 */
export async function findKnownHost(text: string, host: string, port: number): Promise<KnownKeys> {
  if (port === 22) return findKnownKeys(text, host);
  const withPort = await findKnownKeys(text, `[${host}]:${port}`);
  if (withPort.isListed) return withPort;
  const plain = await findKnownKeys(text, host);
  return {
    ...plain,
    keys: leaveOut(plain.keys, withPort.revoked),
    hasAuthority: withPort.hasAuthority || plain.hasAuthority,
  };
}

/** Reads known_hosts as sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT", describes it. Leaves out revoked keys. */
export async function findKnownKeys(text: string, name: string): Promise<KnownKeys> {
  const end = await semaphore.acquire();
  try {
    return await readLines(text, name);
  } finally {
    end();
  }
}

async function readLines(text: string, name: string): Promise<KnownKeys> {
  const found: Buffer[] = [];
  const revoked: Buffer[] = [];
  let hasAuthority = false;
  for (const [index, line] of text.split("\n").entries()) {
    if (index % linesAtOnce === linesAtOnce - 1) await letOthersGo();
    const words = line.trim().split(/\s+/);
    const marker = words[0]?.startsWith("@") ? words.shift() : undefined;
    const [patterns, type, blob] = words;
    if (patterns === undefined || blob === undefined || patterns.startsWith("#")) continue;
    if (!isNamed(patterns, name)) continue;
    const key = readKey(blob);
    if (key === undefined || readKeyType(key) !== type) continue;
    if (marker === "@revoked") revoked.push(key);
    else if (marker === "@cert-authority") hasAuthority = true;
    else if (marker === undefined) found.push(key);
  }
  return { keys: leaveOut(found, revoked), revoked, isListed: found.length > 0, hasAuthority };
}

function leaveOut(keys: readonly Buffer[], revoked: readonly Buffer[]): readonly Buffer[] {
  return keys.filter((key) => !revoked.some((bad) => bad.equals(key)));
}

function isNamed(patterns: string, name: string): boolean {
  if (patterns.startsWith("|1|")) {
    const [, , salt = "", hash] = patterns.split("|");
    return (
      createHmac("sha1", Buffer.from(salt, "base64")).update(name.toLowerCase()).digest("base64") === hash
    );
  }
  const list = patterns.split(",");
  const isExcluded = list.some((pattern) => pattern.startsWith("!") && doesMatch(pattern.slice(1), name));
  return !isExcluded && list.some((pattern) => doesMatch(pattern, name));
}

function doesMatch(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern.toLowerCase() === name.toLowerCase();
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "i").test(name);
}
