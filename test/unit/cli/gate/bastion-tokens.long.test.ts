import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeOpening } from "../../../../src/cli/gate/bastion-program";
import { makeProfile } from "../../../../src/knock/clients/profile";
import type { TokenStep } from "../../../../src/knock/packet";
import { listen, type Receiver } from "../../knock/receiver";
import { listenSilently } from "../../knock/silent-port";
import { readPolicy } from "../../policy/read-policy";
import { play } from "../play";

const hex = ["1c70a366cbb9dd0b45cc64882cba4a42", "00ff25275c6025620000000000000d09"];

let receiver: Receiver;
let folder: string;
beforeEach(async () => {
  receiver = await listen();
  folder = mkdtempSync(join(tmpdir(), "knockgate-bastion-"));
});
afterEach(() => {
  receiver.close();
  rmSync(folder, { recursive: true });
});

function makeTries(use: TokenStep["use"] = "open") {
  const carrier = { kind: "udp", port: receiver.port } as const;
  return hex.map((token) => ({ steps: [{ kind: "token", carrier, token, use } as const], timeoutMs: 200 }));
}

function runBash(program: string): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile("bash", ["-s", "--", "127.0.0.1"], (_error, stdout) => resolve(stdout));
    child.stdin?.end(program);
  });
}

describe("the program on a bastion", () => {
  test("sends another token at each try while the port is silent", async () => {
    const silent = await listenSilently();
    const said = await runBash(writeOpening("127.0.0.1", makeTries(), silent.port) ?? "");
    await silent.close();
    expect(said.trim().split("\n")).toEqual(
      ["began", "sent 1", "sent 2", "silent"].map((it) => `knockgate: ${it}`),
    );
    expect(receiver.rest).toEqual(hex);
  });

  test("stops at an answer", async () => {
    const said = await runBash(writeOpening("127.0.0.1", makeTries(), 1) ?? "");
    expect(said.trim().split("\n")).toEqual(["began", "sent 1", "refused"].map((it) => `knockgate: ${it}`));
    expect(receiver.rest).toEqual(hex.slice(0, 1));
  });

  test("sends one token where there is no port to ask", async () => {
    const said = await runBash(writeOpening("127.0.0.1", makeTries("close"), undefined) ?? "");
    expect(said.trim().split("\n").at(-1)).toBe("knockgate: unasked");
    expect(receiver.rest).toEqual([`${hex[0]}00`]);
  });

  test("lets ping send a token", () => {
    const steps = [
      { kind: "token", carrier: { kind: "icmpEcho" }, token: hex[0] ?? "", use: "close" } as const,
    ];
    const program = writeOpening("edge", [{ steps, timeoutMs: 1_000 }], 22);
    expect(program).toContain(`s ping -q -c 1 -s 33 -p ${hex[0]} "$h"`);
  });
});

test("tokens that the bastion did not send are not used up", async () => {
  // It takes the place of ssh: it runs what the bastion's shell gets.
  const ssh = join(folder, "ssh");
  writeFileSync(ssh, `#!/bin/bash\neval "\${@: -1}"\n`);
  chmodSync(ssh, 0o700);
  const before = process.env["PATH"];
  process.env["PATH"] = [folder, before].join(delimiter);
  const environment = { XDG_CONFIG_HOME: folder };
  const users = [{ name: "ada", key: "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ" }];
  const knock = { token: { udp: receiver.port } };
  const policy = readPolicy({
    name: "edge",
    users,
    gates: [{ name: "web", protect: [{ tcp: "1" }], knock }],
  });
  const way = {
    host: "127.0.0.1",
    port: 22,
    user: "ops",
    proxy: { host: "bastion.example", port: 22, user: "jump" },
  };
  const profile = makeProfile("edge", way, policy);
  try {
    await play(["profile", "add", "-"], { environment, input: JSON.stringify({ profile }) });
    for (const _ of [1, 2]) {
      const { out } = await play(["knock", "edge"], { environment });
      expect(out).toMatch(
        /gate web is open after \d+ ms: port 1 of 127\.0\.0\.1 answers from bastion\.example/,
      );
    }

    const lists = join(folder, "knockgate", "used-slots");
    const [list = ""] = readdirSync(lists);
    expect(readdirSync(join(lists, list))).toHaveLength(2);
    expect(new Set(receiver.rest).size).toBe(2);
  } finally {
    process.env["PATH"] = before;
  }
});
