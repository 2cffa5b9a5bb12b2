import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { KnockgateError } from "../../errors.js";
import { decodeText } from "../decode-text.js";
import { findHome } from "../home.js";
import type { ResolvedLogin } from "../resolve.js";
import { readKey, readKeyType } from "./key-blob.js";
import { findKnownHost } from "./known-hosts.js";

/** The host keys that a machine may prove its identity with. */
export interface ExpectedKeys {
  /** Key blobs (RFC 4253, 6.6). */
  readonly keys: readonly Buffer[];
  /** Where they come from, for messages. */
  readonly source: string;
}

/** For each kind of key, the signature algorithms that a machine can prove it with (RFC 8332 for RSA). */
const algorithmsByType: Readonly<Record<string, readonly string[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};

/**
 * Finds the host keys to expect: the pinned one, else those in known_hosts. `undefined` when the login has
 * `ignoreHostKey`.
 *
 * @param field the login's name in the arguments, for messages
 * @throws KnockgateError `HOST_KEY_UNKNOWN` when there is none; `ARGUMENTS_INVALID` when the pinned one can't be read
 */
export async function findExpectedKeys(
  login: ResolvedLogin,
  field: string,
): Promise<ExpectedKeys | undefined> {
  if (login.ignoreHostKey) return undefined;
  const source = `${field}.hostKey`;
  if (login.hostKey !== undefined) return { keys: [readPinnedKey(login.hostKey, source)], source };
  const home = findHome();
  const own = home === undefined ? [] : [join(home, ".ssh", "known_hosts")];
  const files = [...own, "/etc/ssh/ssh_known_hosts"];
  const texts = await Promise.all(files.map((file) => readFile(file).catch(() => Buffer.alloc(0))));
  const known = await findKnownHost(texts.map(decodeText).join("\n"), login.host, login.port);
  const keys = known.keys.filter((key) => readKeyType(key) in algorithmsByType);
  if (keys.length > 0) return { keys, source: "known_hosts" };
  const authority = known.hasAuthority
    ? " known_hosts has a certificate authority for it, but host certificates need the transport `openssh`."
    : "";
  const name = login.port === 22 ? login.host : `[${login.host}]:${login.port}`;
  const toSet = `${source} to the line that \`ssh-keyscan\` prints, after you have checked it`;
  const way =
    home === undefined
      ? `There is no home folder, so no ~/.ssh/known_hosts: set HOME, or set ${toSet}.`
      : `Set ${toSet}. Or log in once with ssh, so that known_hosts has it.`;
  throw new KnockgateError(
    "HOST_KEY_UNKNOWN",
    `${name}: no host key is pinned or known for it, so nothing was sent.${authority} ${way}`,
  );
}

/** Writes a key's fingerprint as OpenSSH shows it. */
export function fingerprintKey(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** Lists the signature algorithms that a machine can prove the expected keys with. */
export function listKeyAlgorithms(keys: readonly Buffer[]): readonly string[] {
  return [...new Set(keys.flatMap((key) => algorithmsByType[readKeyType(key)] ?? []))];
}

/** @throws KnockgateError `ARGUMENTS_INVALID` */
export function readPinnedKey(text: string, source: string): Buffer {
  const reading = readHostKey(text);
  if ("key" in reading) return reading.key;
  throw new KnockgateError("ARGUMENTS_INVALID", `${source} ${reading.why}.`);
}

/** Reads a public key as OpenSSH writes it, or says what the text is instead. */
export function readHostKey(text: string): { readonly key: Buffer } | { readonly why: string } {
  const blob = text.split(/\s+/).find((word) => word.startsWith("AAAA"));
  const key = readKey(blob ?? "");
  const type = key === undefined ? "" : readKeyType(key);
  if (key !== undefined && type in algorithmsByType) return { key };
  if (type.includes("-cert-v"))
    return { why: "is a certificate, which can't be pinned: give the host's plain public key" };
  if (/^\s*(SHA256|MD5):/.test(text)) return { why: "is a fingerprint: give the whole public key" };
  if (/^\s*(~|\.{0,2}\/)/.test(text)) return { why: "is a path, not a key: read the file and give its text" };
  if (text.includes("PRIVATE KEY")) return { why: "is a private key: give the host's public key" };
  return {
    why: "is not an ed25519, ECDSA or RSA public key as OpenSSH writes it, like `ssh-ed25519 AAAA...`",
  };
}
