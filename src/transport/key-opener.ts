import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { makeTurns } from "./turns.js";

/** What became of a try: the key without its lock, in PEM, or why it did not open. */
export type OpenedKey = { readonly pem: string } | { readonly why: string };

/**
 * What makes an encrypted key slow to guess makes it slow to open: bcrypt or PBKDF2, up to a second of computing, in
 * which nothing else of this process would go on, not even a change on another host that is waiting to be confirmed. So
 * it is done in a thread of its own. The thread's program is text because a thread starts from a file that plain Node can
 * run, which this module is not where it runs from its TypeScript source.
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

/** Fleets log in to all hosts with the same few keys: each is opened once in a process. */
const opened = new Map<string, Promise<OpenedKey>>();

/** Threads beyond the processors would only take turns, each with a copy of ssh2 in memory. */
const turns = makeTurns(availableParallelism());

/**
 * Takes the lock off an encrypted private key, in a thread of its own and once for each key and password.
 *
 * @param text an encrypted key in OpenSSH's form or in PEM
 * @throws Error when the thread itself failed; that is tried again the next time
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
  const end = await turns.take();
  try {
    return await new Promise((resolve, reject) => {
      // What the thread is given travels in memory; argv and environment of a process can be read by others.
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
