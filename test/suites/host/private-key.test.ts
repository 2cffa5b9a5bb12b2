import { spawnSync } from "node:child_process";
import { generateKeyPairSync, sign, verify } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { utils } from "ssh2";
import { afterAll, expect, test, vi } from "vitest";
import { connectionSchema } from "../../../src/ssh/connection";
import { findKeyFault, readPrivateKey } from "../../../src/ssh/keys/private-key";

const folder = mkdtempSync(join(tmpdir(), "knockgate-keys-"));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (privateKey: string, privateKeyPassword?: string) =>
  readPrivateKey(connectionSchema.parse({ host: "edge.test", privateKey, privateKeyPassword }), "connection");

const readBlob = async (text: string, passphrase?: string) =>
  (await read(text, passphrase))?.getPublicSSH().toString("base64");

let made = 0;

/** A new key as ssh-keygen writes it, and its public half as OpenSSH writes it. */
function makeKey(type: string, form: string, passphrase = ""): { text: string; blob: string } {
  made += 1;
  const file = join(folder, `${made}`);
  const size = type === "rsa" ? ["-b", "2048"] : [];
  // One round of bcrypt_pbkdf: more rounds slow down guessing, and tests.
  const argv = ["-q", "-t", type, ...size, "-m", form, "-a", "1", "-N", passphrase, "-f", file];
  if (spawnSync("ssh-keygen", argv).status !== 0) throw new Error(`ssh-keygen ${argv.join(" ")}`);
  return { text: readFileSync(file, "utf8"), blob: readFileSync(`${file}.pub`, "utf8").split(" ")[1] ?? "" };
}

const forms = [
  ["ed25519", "RFC4716"],
  ["rsa", "RFC4716"],
  ["rsa", "PEM"],
  ["rsa", "PKCS8"],
  ["ecdsa", "RFC4716"],
  ["ecdsa", "PEM"],
  ["ecdsa", "PKCS8"],
] as const;

test.each(forms)("reads an %s key in the form %s of ssh-keygen, with any line ends", async (type, form) => {
  const { text, blob } = makeKey(type, form);
  expect(await readBlob(text)).toBe(blob);
  expect(await readBlob(`\n${text.replaceAll("\n", "\r\n")}\n`)).toBe(blob);
  expect(await readBlob(text, "needless")).toBe(blob);
});

test.each(forms)("opens an encrypted %s key in the form %s only with its password", async (type, form) => {
  const { text, blob } = makeKey(type, form, "right");
  expect(await readBlob(text, "right")).toBe(blob);
  await expect(read(text)).rejects.toThrow("it is encrypted, and connection.privateKeyPassword is not set");
  await expect(read(text, "wrong")).rejects.toThrow(
    "it is encrypted, and connection.privateKeyPassword does not open it",
  );
});

test.each(forms)(
  "opens an encrypted %s key in the form %s in another thread, and once for all hosts",
  async (type, form) => {
    const { text, blob } = makeKey(type, form, "right");
    const threads: Worker[] = [];
    const notice = (thread: Worker) => threads.push(thread);
    process.on("worker", notice);
    const here = vi.spyOn(utils, "parseKey");
    try {
      const hosts = Array.from({ length: 20 }, () => readBlob(text, "right"));
      expect(new Set(await Promise.all(hosts))).toEqual(new Set([blob]));
      expect(await readBlob(text, "right")).toBe(blob);
      expect(threads).toHaveLength(1);
      await expect(read(text, "wrong")).rejects.toThrow("does not open it");
      await expect(read(text, "wrong")).rejects.toThrow("does not open it");
      expect(threads).toHaveLength(2);
      expect(here.mock.calls.filter(([, password]) => password !== undefined)).toEqual([]);
      await readBlob(makeKey(type, form).text, "needless");
      expect(threads).toHaveLength(2);
    } finally {
      process.off("worker", notice);
      here.mockRestore();
    }
  },
);

test.each([undefined, "right"])(
  "reads an ed25519 key as OpenSSL writes it, with the password %s",
  async (passphrase) => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const lock = passphrase === undefined ? {} : { cipher: "aes-256-cbc", passphrase };
    const key = await read(`${privateKey.export({ type: "pkcs8", format: "pem", ...lock })}`, passphrase);
    const data = Buffer.from("what a host asks to be signed");
    expect(verify(null, data, publicKey, key?.sign(data) ?? Buffer.alloc(64))).toBe(true);
    expect(key?.verify(data, sign(null, data, privateKey))).toBe(true);
  },
);

const good = makeKey("ed25519", "RFC4716");
const locked = makeKey("rsa", "PKCS8", "right").text;
const lockedPem = makeKey("ecdsa", "PEM", "right").text;
const unknown = "it is not an ed25519, ECDSA or RSA key";
const securityKey = Buffer.concat([
  Buffer.from("openssh-key-v1\0"),
  ...["none", "none", ""].map(packText),
  Buffer.from([0, 0, 0, 1]),
  packText(`\0\0\0\x1ask-ssh-ed25519@openssh.com\0\0\0\x20${"k".repeat(32)}\0\0\0\x04ssh:`),
  packText("s".repeat(160)),
]).toString("base64");

test.each([
  ["words", "very-private-words", unknown],
  ["nothing", "", "it is empty"],
  ["blanks", " \n ", "it is empty"],
  ["a key cut short", good.text.slice(0, 200), "its end is missing"],
  ["a kind that SSH has no name for", makeX25519(), unknown],
  ["a key whose middle is lost", good.text.replace(/\n.*\n.*\n/, "\n"), unknown],
  ["a public key", `ssh-ed25519 ${good.blob}`, "it is a public key"],
  ["a public key in PEM", makePublicPem(), "it is a public key"],
  ["a certificate", `ssh-ed25519-cert-v01@openssh.com ${good.blob}`, "it is a certificate"],
  ["a key with \\n in it", good.text.replaceAll("\n", "\\n"), "its line breaks are lost: in their place are"],
  [
    "an encrypted key with \\n in it",
    locked.replaceAll("\n", "\\n"),
    "its line breaks are lost: in their place are",
  ],
  ["an encrypted key in one line", lockedPem.replaceAll("\n", " "), "its line breaks are lost"],
  ["a key with blanks in place of line breaks", good.text.replaceAll("\n", " "), "its line breaks are lost"],
  ["a key without line breaks", good.text.replaceAll("\n", ""), "its line breaks are lost"],
  ["an indented key", good.text.replace(/^/gm, "    "), "its lines are indented"],
  ["a key indented but for its first line", good.text.replace(/\n(?=.)/g, "\n  "), "its lines are indented"],
  ["a key in quotes", `"${good.text}"`, "it is in quotes: remove them"],
  ["base64 of a key", Buffer.from(good.text).toString("base64"), "it is base64 of a key"],
  [
    "base64 of a key in lines",
    Buffer.from(good.text).toString("base64").replace(/.{76}/g, "$&\n"),
    "it is base64",
  ],
  ["the body of a key alone", good.text.split("\n").slice(1, -2).join("\n"), "it is base64 of a key"],
  ["a path from home", "~/.ssh/id_ed25519", "it is a path, not a key: read the file"],
  ["a path", "/etc/keys/deploy", "it is a path, not a key: read the file"],
  ["a path beside", "./deploy.pem\n", "it is a path, not a key: read the file"],
  ["a file's name", "id_rsa", "it is a path, not a key: read the file"],
  ["a path of Windows", "C:\\Users\\ada\\.ssh\\id", "it is a path, not a key: read the file"],
  [
    "a security key",
    `-----BEGIN OPENSSH PRIVATE KEY-----\n${securityKey.replace(/.{70}/g, "$&\n")}\n-----END OPENSSH PRIVATE KEY-----\n`,
    "works only with an agent",
  ],
  ["a security key's public half", `sk-ssh-ed25519@openssh.com ${good.blob} ada`, "works only with an agent"],
  ["a key of PuTTY", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: ada\n", "puttygen"],
])("says that %s is not a private key, and why, without its text", async (_what, text, words) => {
  for (const password of [undefined, "right"]) {
    const failure = await catchError(read(text, password));
    expect(failure).toMatchObject({ code: "ARGUMENTS_INVALID" });
    expect(failure.cause).toBeUndefined();
    expect(failure.message).toContain(`connection.privateKey can't be read: `);
    expect(failure.message).toContain(words);
    for (const line of text.split("\n").filter((part) => part.trim() !== ""))
      expect(failure.stack).not.toContain(line);
    expect(findKeyFault(text, password !== undefined)).toContain(words);
  }
});

test("finds no fault in a key that can be read, or could be with its password", () => {
  for (const [type, form] of forms) {
    expect(findKeyFault(makeKey(type, form).text, false)).toBeUndefined();
    const { text } = makeKey(type, form, "right");
    expect(findKeyFault(text, true)).toBeUndefined();
    expect(findKeyFault(text.replaceAll("\n", "\r\n"), true)).toBeUndefined();
    expect(findKeyFault(text, false)).toBe("it is encrypted, and its password is not set");
  }
});

test("knows no key where there is none", async () => {
  expect(await readPrivateKey(connectionSchema.parse({ host: "edge.test" }), "connection")).toBeUndefined();
});

function makePublicPem(): string {
  return `${generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" })}`;
}

function packText(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function makeX25519(): string {
  return `${generateKeyPairSync("x25519").privateKey.export({ type: "pkcs8", format: "pem" })}`;
}

async function catchError(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}
