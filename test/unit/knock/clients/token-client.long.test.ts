import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ClientTokens } from "../../../../src/knock/clients/client-knock";
import { writeTokenClient } from "../../../../src/knock/clients/token-client";
import { listSlotsToTry } from "../../../../src/policy/slots";
import { tokenOf } from "../../../../src/policy/token";
import { listen, type Receiver } from "../receiver";
import { listenSilently } from "../silent-port";
import { findInPath, shells, withoutClock } from "./shells";

const settings = { slotSeconds: 60, horizonDays: 7, graceSeconds: 120 };
const keys = ["kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ", "-_".repeat(32), "A".repeat(32)];

let receiver: Receiver;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "knockgate-shell-"));
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(async () => {
  receiver = await listen();
});
afterEach(() => receiver.close());

function makeTokens(more: Partial<ClientTokens> = {}): ClientTokens {
  const [key = ""] = keys;
  const purpose = { policy: "edge", gate: "ssh", host: "edge.example.org" };
  return {
    kind: "tokens",
    carrier: { kind: "udp", port: receiver.port },
    user: "ada",
    key,
    ...purpose,
    settings,
    ...more,
  };
}

/** The payloads that a client sends for these slots, in order. */
function expectedFor({ key, policy, gate, host }: ClientTokens, slots: readonly number[]): readonly string[] {
  return slots.map((slot) => tokenOf(key, { policy, gate, host, slot }));
}

/** Makes a folder in which `date` says a time, and sha256sum may be missing as on macOS. */
function makePath(slot: number, leaves: readonly string[] = []): string {
  const path = mkdtempSync(join(folder, "bin-"));
  for (const tool of [
    "bash",
    "dash",
    "busybox",
    "nc",
    "sleep",
    "sha256sum",
    "shasum",
    "perl",
    "cat",
    "getent",
  ]) {
    const found = findInPath(tool);
    if (found !== undefined && !leaves.includes(tool)) symlinkSync(found, join(path, tool));
  }
  writeFileSync(join(path, "date"), `#!/bin/sh\ntest "$1" = +%s && echo ${slot * 60 + 59}\n`);
  chmodSync(join(path, "date"), 0o755);
  return path;
}

/** Runs a program on a shell's standard input. */
function run(shell: readonly string[], program: string, path: string, host = "127.0.0.1"): Promise<string> {
  const [command = "", ...words] = shell;
  return new Promise((resolve, reject) => {
    const options = { env: { PATH: path, ...withoutClock } };
    const child = execFile(
      join(path, command),
      [...words, "-s", "--", host],
      options,
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code !== "number") reject(error);
        else resolve(`${stdout}${stderr}`);
      },
    );
    child.stdin?.end(program);
  });
}

describe.each(shells)("a token made by %s", (_, shell, dialect) => {
  test("is that of the user, the gate, the host and the slot", async () => {
    const cases = [
      [makeTokens(), 29_940_000],
      [makeTokens({ host: "fe80::1%eth0", gate: "wg", key: keys[1] ?? "" }), 29_940_001],
      [makeTokens({ policy: "0-9", host: "192.0.2.7", key: keys[2] ?? "" }), 29_940_016],
      // Its digest has bytes 0a, and a token has none.
      [makeTokens(), 29_940_016],
    ] as const;
    for (const [tokens, slot] of cases) {
      const program = writeTokenClient(tokens, "127.0.0.1", undefined, dialect);
      expect(await run(shell, program, makePath(slot))).toBe("");
      expect(await receiver.take(1)).toEqual(expectedFor(tokens, [slot]));
    }
    expect(receiver.rest).toEqual([]);
  }, 30_000);

  test("is made by shasum where there is no sha256sum", async () => {
    const tokens = makeTokens();
    const path = makePath(29_940_000, shell[0] === "busybox" ? [] : ["sha256sum"]);
    await run(shell, writeTokenClient(tokens, "127.0.0.1", undefined, dialect), path);
    expect(await receiver.take(1)).toEqual(["1c70a366cbb9dd0b45cc64882cba4a42"]);
  }, 30_000);

  test("is followed by those of other slots while the port is silent", async () => {
    const silent = await listenSilently();
    const tokens = makeTokens();
    const program = writeTokenClient(tokens, "127.0.0.1", silent.port, dialect);
    const ended = run(shell, program, makePath(29_940_000));
    const slots = [0, 1, 10_081, 2].map((far) => 29_940_000 + far);
    expect(await receiver.take(4)).toEqual(expectedFor(tokens, slots));
    await silent.close();
    await ended;
  }, 30_000);

  test("is followed by no other once the port answers", async () => {
    const server = createServer((socket) => socket.on("error", () => undefined).end("SSH-2.0-x\r\n")).listen(
      0,
      "127.0.0.1",
    );
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const tokens = makeTokens();
    await run(shell, writeTokenClient(tokens, "127.0.0.1", port, dialect), makePath(29_940_000));
    server.close();
    expect(receiver.rest).toEqual(expectedFor(tokens, [29_940_000]));
  }, 30_000);
});

describe("the program of bash", () => {
  test("stops when the port refuses, which is an answer", async () => {
    const tokens = makeTokens();
    await run(["bash"], writeTokenClient(tokens, "127.0.0.1", 1, "bash"), makePath(29_940_000));
    expect(receiver.rest).toEqual(expectedFor(tokens, [29_940_000]));
  });

  test("has no character that other places read: quotes, backslashes, comments", () => {
    expect(writeTokenClient(makeTokens(), "edge.example", 22, "bash")).not.toMatch(/['\\#\n]/);
  });

  test("names the slots in the order in which all clients try them", () => {
    const [, list = ""] = /for e in ([\d ]+)/.exec(writeTokenClient(makeTokens(), "edge", 22, "bash")) ?? [];
    expect(list.split(" ").map(Number)).toEqual(listSlotsToTry(0, settings));
  });

  test("lets ping send a token", () => {
    const program = writeTokenClient(
      makeTokens({ carrier: { kind: "icmpEcho" } }),
      "edge",
      undefined,
      "bash",
    );
    expect(program).toContain('s ping -q -c 1 -s 32 -p $t "$h"');
    expect(program).toContain("echo ping: not found");
  });
});

test("no other process than the shell gets the key or a token as an argument", async () => {
  const tokens = makeTokens();
  const path = makePath(29_940_000, ["sha256sum"]);
  const log = join(folder, "words");
  const real = findInPath("sha256sum");
  writeFileSync(join(path, "sha256sum"), `#!/bin/sh\necho "$0 $*" >>${log}\nexec ${real} "$@"\n`);
  chmodSync(join(path, "sha256sum"), 0o755);
  symlinkSync("/bin/sh", join(path, "sh"));
  await run(["bash"], writeTokenClient(tokens, "127.0.0.1", undefined, "bash"), path);
  expect(await receiver.take(1)).toHaveLength(1);
  expect(readFileSync(log, "utf8")).toEqual(`${join(path, "sha256sum")} \n`.repeat(2));
});
