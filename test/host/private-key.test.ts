import { spawnSync } from "node:child_process";
import { generateKeyPairSync, sign, verify } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { utils } from "ssh2";
import { afterAll, expect, test, vi } from "vitest";
import { connectionSchema } from "../../src/transport/connection";
import { readPrivateKey } from "../../src/transport/private-key";

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
  // One round: what makes guessing slow makes tests slow.
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

test.each(forms)("opens an encrypted %s key in the form %s with its password alone", async (type, form) => {
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

test.each([
  ["words", "very-private-words", "no ed25519, ECDSA or RSA key"],
  ["nothing", "", "no ed25519, ECDSA or RSA key"],
  ["a key cut short", makeKey("ed25519", "RFC4716").text.slice(0, 200), "no ed25519, ECDSA or RSA key"],
  ["a kind that SSH has no name for", makeX25519(), "no ed25519, ECDSA or RSA key"],
  ["a public key", `ssh-ed25519 ${makeKey("ed25519", "RFC4716").blob}`, "a public key"],
])("says that %s is no private key, and not what it is", async (_what, text, words) => {
  const failure = await catchError(read(text));
  expect(failure).toMatchObject({ code: "ARGUMENTS_INVALID" });
  expect(failure.cause).toBeUndefined();
  expect(failure.message).toContain(words);
  for (const line of text.split("\n").filter(Boolean)) expect(failure.stack).not.toContain(line);
});

test("knows no key where there is none", async () => {
  expect(await readPrivateKey(connectionSchema.parse({ host: "edge.test" }), "connection")).toBeUndefined();
});

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
