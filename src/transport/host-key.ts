import { createHash, createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { KnockgateError } from "../errors.js";
import type { Connection } from "./connection.js";

/** The keys by which a host may prove who it is. */
export interface ExpectedKeys {
  /** Key blobs (RFC 4253, 6.6). */
  readonly keys: readonly Buffer[];
  /** Where they come from, for messages. */
  readonly source: string;
}

/**
 * Finds the keys to expect of a host: the pinned one, else those that known_hosts has for it. `undefined` when the
 * connection says by name that the key is to be ignored.
 *
 * @throws KnockgateError `HOST_KEY_UNKNOWN` when there is none.
 */
export async function findExpectedKeys(connection: Connection): Promise<ExpectedKeys | undefined> {
  if (connection.ignoreHostKey) return undefined;
  if (connection.hostKey !== undefined) {
    return { keys: [readPinnedKey(connection.hostKey)], source: "connection.hostKey" };
  }
  const files = [join(homedir(), ".ssh", "known_hosts"), "/etc/ssh/ssh_known_hosts"];
  const name = connection.port === 22 ? connection.host : `[${connection.host}]:${connection.port}`;
  const texts = await Promise.all(files.map((file) => readFile(file, "utf8").catch(() => "")));
  const keys = findKnownKeys(texts.join("\n"), name);
  if (keys.length > 0) return { keys, source: "known_hosts" };
  throw new KnockgateError(
    "HOST_KEY_UNKNOWN",
    `${name}: no host key to expect, so nothing was sent. Set connection.hostKey to the line that ` +
      "`ssh-keyscan` prints and you have checked, or log in once with ssh so that known_hosts has it.",
  );
}

/** Names a key the way OpenSSH shows it. */
export function fingerprintKey(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** Lists the signature algorithms by which a host can prove the expected keys (RFC 8332 for RSA). */
export function listKeyAlgorithms(keys: readonly Buffer[]): readonly string[] {
  const types = keys.map(readKeyType);
  return [
    ...new Set(types.flatMap((type) => (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type]))),
  ];
}

function readPinnedKey(text: string): Buffer {
  const blob = text.split(/\s+/).find((word) => word.startsWith("AAAA"));
  const key = readKey(blob ?? "");
  if (key !== undefined) return key;
  throw new KnockgateError(
    "ARGUMENTS_INVALID",
    "connection.hostKey is not a public key as OpenSSH writes it, like `ssh-ed25519 AAAA...`.",
  );
}

/** Reads a key's base64; `undefined` when it is not a type's name and further fields, each after its length. */
function readKey(base64: string): Buffer | undefined {
  const key = Buffer.from(base64, "base64");
  if (key.toString("base64").replace(/=+$/, "") !== base64.replace(/=+$/, "")) return undefined;
  let fields = 0;
  let at = 0;
  while (at + 4 <= key.length) {
    at += 4 + key.readUInt32BE(at);
    fields += 1;
  }
  return at === key.length && fields >= 2 && /^[a-z][\w@.-]+$/.test(readKeyType(key)) ? key : undefined;
}

function readKeyType(key: Buffer): string {
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString("latin1");
}

/** Reads known_hosts as sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT", describes it; a revoked key counts for nobody. */
export function findKnownKeys(text: string, name: string): readonly Buffer[] {
  const found: Buffer[] = [];
  const revoked: Buffer[] = [];
  for (const line of text.split("\n")) {
    const words = line.trim().split(/\s+/);
    const marker = words[0]?.startsWith("@") ? words.shift() : undefined;
    const [patterns, type, blob] = words;
    if (patterns === undefined || blob === undefined || patterns.startsWith("#")) continue;
    const key = readKey(blob);
    if (key === undefined || readKeyType(key) !== type || !isNamed(patterns, name)) continue;
    if (marker === "@revoked") revoked.push(key);
    else if (marker === undefined) found.push(key);
  }
  return found.filter((key) => !revoked.some((bad) => bad.equals(key)));
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
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "i").test(name);
}
