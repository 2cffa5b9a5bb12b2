import { createHmac } from "node:crypto";
import { setImmediate as letOthersGo } from "node:timers/promises";
import { readKey, readKeyType } from "./key-blob.js";
import { makeTurns } from "./turns.js";

/** What known_hosts has for a name. */
export interface KnownKeys {
  /** Key blobs (RFC 4253, 6.6). */
  readonly keys: readonly Buffer[];
  /** Keys that count for nobody by that name. */
  readonly revoked: readonly Buffer[];
  /** Whether the name has a key at all, revoked or not. */
  readonly isListed: boolean;
  /** Whether a line marked `@cert-authority` is for that name: it vouches for certificates, which is no key of a host. */
  readonly hasAuthority: boolean;
}

/** Some milliseconds of work: a hashed name takes a hash of its own to compare. */
const linesAtOnce = 500;
/** What waits for its next lines all goes on together: so one file at a time. */
const turns = makeTurns(1);

/**
 * Finds the keys of a host as ssh does: those of `[HOST]:PORT`, and where that name has none at all, those of the host's
 * plain name (check_host_key in OpenSSH's sshconnect.c, "checking without port identifier"). A key that is revoked by the
 * first name is not trusted by the second.
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

/** Reads known_hosts as sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT", describes it; a revoked key counts for nobody. */
export async function findKnownKeys(text: string, name: string): Promise<KnownKeys> {
  const end = await turns.take();
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
