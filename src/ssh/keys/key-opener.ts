import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { makeSemaphore } from "../semaphore.js";

/** The decrypted key in PEM, or why it did not open. */
export type OpenedKey = { readonly pem: string } | { readonly why: string };

/**
 * Opens an encrypted key, in a thread of its own. bcrypt and PBKDF2 make a key slow to guess, and so slow to open: up
 * to a second of computing. On the main thread nothing else would go on meanwhile, not even a change on another host
 * that waits to be confirmed. The program is a string because a thread starts from a file that plain Node can run, and
 * this module is not one while it runs from its TypeScript source.
 */
const program = `
"use strict";
const { createPrivateKey } = require("node:crypto");
const { parentPort, workerData } = require("node:worker_threads");
const { utils } = require(workerData.ssh2);
const open = ({ text, passphrase }) => {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----/.test(text)) {
    return createPrivateKey({ key: text, passphrase }).export({ type: "pkcs8", format: "pem" });
  }
  const key = utils.parseKey(text, passphrase);
  if (key instanceof Error) throw key;
  return key.getPrivatePEM();
};
try {
  parentPort.postMessage({ pem: open(workerData) });
} catch (error) {
  parentPort.postMessage({ why: error.message });
}
`;

/**
 * By the hash of key and password: a fleet logs in to all hosts with the same few keys, so each is opened once per
 * process.
 */
const opened = new Map<string, Promise<OpenedKey>>();

/** More threads than processors are not faster, and each has its own copy of ssh2 in memory. */
const semaphore = makeSemaphore(availableParallelism());

/**
 * Decrypts a private key in a thread of its own, once for each key and password.
 *
 * @param text an encrypted key in OpenSSH's form or in PEM
 * @throws Error when the thread itself failed; the next call tries again
 */
export function openKey(text: string, passphrase: string): Promise<OpenedKey> {
  const name = createHash("sha256")
    .update(JSON.stringify([text, passphrase]))
    .digest("hex");
  const known = opened.get(name);
  if (known !== undefined) return known;
  const opening = runThread(text, passphrase);
  opened.set(name, opening);
  opening.catch(() => opened.delete(name));
  return opening;
}

async function runThread(text: string, passphrase: string): Promise<OpenedKey> {
  const end = await semaphore.acquire();
  try {
    return await new Promise((resolve, reject) => {
      // workerData stays in memory; other users can read a process's arguments and environment.
      const ssh2 = createRequire(__filename).resolve("ssh2");
      const worker = new Worker(program, {
        eval: true,
        execArgv: [],
        workerData: { ssh2, text, passphrase },
      });
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", () => reject(new Error("the thread that opens keys ended")));
    });
  } finally {
    end();
  }
}
