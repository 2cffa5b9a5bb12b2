import { createPrivateKey, type KeyObject, randomBytes } from "node:crypto";
import { type ParsedKey, utils } from "ssh2";
import { KnockgateError } from "../../errors.js";
import type { Connection, Login } from "../connection.js";
import { explainBrokenKey, holdsSecurityKey } from "./broken-key.js";
import { openKey } from "./key-opener.js";

/**
 * Reads the private key of a login: ed25519, ECDSA or RSA, in OpenSSH's form or in PEM (PKCS #1, SEC 1, PKCS #8),
 * encrypted or not.
 *
 * @param field the login's name in the arguments, for messages
 * @throws KnockgateError `ARGUMENTS_INVALID`. The message does not quote the key.
 */
export async function readPrivateKey(login: Login, field: string): Promise<ParsedKey | undefined> {
  const text = await readKeyText(login, field);
  return text === undefined ? undefined : parseOpened(text, login, field);
}

function parseOpened(text: string, login: Login, field: string): ParsedKey {
  let key: ParsedKey;
  try {
    key = parseKey(text);
  } catch (cause) {
    // The cause is left out: it could quote the key.
    throw unreadable(login, field, cause);
  }
  if (key.isPrivateKey()) return key;
  throw unreadable(login, field, undefined);
}

/** Opens the key, and turns it into a form that ssh2 and each OpenSSH read. */
async function readKeyText(login: Login, field: string): Promise<string | undefined> {
  const { privateKey, privateKeyPassword } = login;
  if (privateKey === undefined) return undefined;
  try {
    const opened =
      privateKeyPassword !== undefined && isLocked(privateKey)
        ? await openKey(privateKey, privateKeyPassword)
        : { pem: privateKey };
    if ("why" in opened) throw new Error(opened.why);
    return toReadable(opened.pem);
  } catch (cause) {
    throw unreadable(login, field, cause);
  }
}

/**
 * Reads the private key of a login as text for ssh(1), which also reads keys that are on a security key (FIDO).
 *
 * @throws KnockgateError `ARGUMENTS_INVALID`. The message does not quote the key.
 */
export async function readKeyFile(login: Login, field: string): Promise<string | undefined> {
  const text = await readKeyText(login, field);
  if (text !== undefined && !holdsSecurityKey(text)) parseOpened(text, login, field);
  return text;
}

/**
 * Says what is wrong with a private key, without decrypting it: that takes up to a second. Does not quote the key.
 *
 * @returns `undefined` when no fault was found
 */
export function findKeyFault(
  privateKey: string,
  hasPassword: boolean,
  transport: Connection["transport"] = "ssh2",
): string | undefined {
  if (transport === "openssh" && holdsSecurityKey(privateKey)) return undefined;
  if (isLocked(privateKey)) return hasPassword ? undefined : "it is encrypted, and its password is not set";
  try {
    if (parseKey(toReadable(privateKey)).isPrivateKey()) return undefined;
  } catch {
    // The error is left out: it could quote the key.
  }
  return explainBrokenKey(privateKey);
}

/** Whether the key is encrypted. A password for a key that is not is ignored. */
function isLocked(text: string): boolean {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----\s*?[\r\n][^-]+-----END ENCRYPTED /.test(text)) return true;
  try {
    parseKey(text);
    return false;
  } catch (error) {
    return error instanceof Error && /^Encrypted .* no passphrase given$/.test(error.message);
  }
}

function parseKey(text: string): ParsedKey {
  const key = utils.parseKey(text);
  if (key instanceof Error) throw key;
  return key;
}

/** ssh2 does not read PKCS #8, the form that OpenSSL, and so most tools, write by default. */
function toReadable(text: string): string {
  if (!/-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/.test(text)) return text;
  const key = createPrivateKey(text);
  switch (key.asymmetricKeyType) {
    case "rsa":
      return `${key.export({ type: "pkcs1", format: "pem" })}`;
    case "ec":
      return `${key.export({ type: "sec1", format: "pem" })}`;
    case "ed25519":
      return writeOpenSsh(key);
    default:
      throw new Error("another kind of key");
  }
}

/** Writes an ed25519 key in OpenSSH's form (its PROTOCOL.key): ssh2 reads ed25519 keys in no other form. */
function writeOpenSsh(key: KeyObject): string {
  const { x = "", d = "" } = key.export({ format: "jwk" });
  const [open, seed] = [x, d].map((part) => Buffer.from(part, "base64url"));
  if (open === undefined || seed === undefined) throw new Error("half a key");
  const type = packString("ssh-ed25519");
  const blob = Buffer.concat([type, packString(open)]);
  const check = randomBytes(4);
  const secret = Buffer.concat([check, check, blob, packString(Buffer.concat([seed, open])), packString("")]);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7].slice(0, (8 - (secret.length % 8)) % 8));
  const whole = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    ...["none", "none", ""].map(packString),
    Buffer.from([0, 0, 0, 1]),
    packString(blob),
    packString(Buffer.concat([secret, padding])),
  ]);
  const lines = whole.toString("base64").replace(/.{70}/g, "$&\n");
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function packString(part: string | Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(part));
  return Buffer.concat([length, Buffer.from(part)]);
}

function unreadable(login: Login, field: string, cause: unknown): KnockgateError {
  const { privateKey = "" } = login;
  const why = cause instanceof Error ? cause.message : "";
  const isEncrypted = isLocked(privateKey) || /encrypted|passphrase|decrypt/i.test(why);
  const reason = !isEncrypted
    ? explainBrokenKey(privateKey)
    : login.privateKeyPassword === undefined
      ? `it is encrypted, and ${field}.privateKeyPassword is not set`
      : `it is encrypted, and ${field}.privateKeyPassword does not open it`;
  return new KnockgateError("ARGUMENTS_INVALID", `${field}.privateKey can't be read: ${reason}.`);
}
