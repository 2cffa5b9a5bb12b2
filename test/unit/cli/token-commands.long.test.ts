import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeProfile } from "../../../src/knock/clients/profile";
import type { PolicyInput } from "../../../src/policy/policy";
import { slotAt, tokenOf } from "../../../src/policy/token";
import { listen, type Receiver } from "../knock/receiver";
import { listenSilently } from "../knock/silent-port";
import { readPolicy } from "../policy/read-policy";
import { makeOutputs } from "./gated";
import { play } from "./play";

const key = "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ";
const users: PolicyInput["users"] = [
  { name: "ada", key },
  { name: "ci", key: "x".repeat(21) + "y".repeat(21), gates: ["db"] },
];

let receiver: Receiver;
let environment: Record<string, string>;
const servers: Server[] = [];
beforeEach(async () => {
  receiver = await listen();
  environment = { XDG_CONFIG_HOME: mkdtempSync(join(tmpdir(), "knockgate-cli-")) };
});
afterEach(() => {
  receiver.close();
  for (const server of servers.splice(0)) server.close();
  rmSync(environment["XDG_CONFIG_HOME"] ?? "", { recursive: true });
});

/** A port that answers. */
async function answer(): Promise<number> {
  const server = createServer((socket) => socket.on("error", () => undefined).end("SSH-2.0-x\r\n"));
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as AddressInfo).port;
}

/** @param sshPort the port of SSH. A gate of another port is asked by a plain connection. */
async function addProfile(
  port: number,
  more: Partial<PolicyInput["gates"][number]> = {},
  user?: string,
  sshPort = port,
): Promise<void> {
  const token = { udp: receiver.port };
  const policy = readPolicy({
    name: "edge",
    users,
    gates: [
      { name: "ssh", protect: [{ tcp: `${port}` }], knock: { token }, ...more },
      { name: "db", protect: [{ tcp: "5432" }], knock: { token } },
    ],
  });
  const profile = makeProfile("edge", { host: "127.0.0.1", port: sshPort, user: "ops" }, policy, user);
  const input = JSON.stringify({ profile });
  expect(await play(["profile", "add", "-"], { environment, input })).toMatchObject({ exitCode: 0 });
}

/** How far from now the slots of tokens are. The next slot may have begun meanwhile. */
function findSlots(tokens: readonly string[], gate = "ssh"): readonly number[] {
  const now = slotAt(Date.now(), 60);
  const candidates = [...Array(12).keys(), 10_080, 10_081, 10_082].map((far) => now - 2 + far);
  return tokens.map((token) => {
    const slot = candidates.find(
      (one) => tokenOf(key, { policy: "edge", gate, host: "127.0.0.1", slot: one }) === token.slice(0, 32),
    );
    return (slot ?? Number.NaN) - now;
  });
}

const run = (...words: string[]) => play(words, { environment });

describe("knockgate knock with tokens", () => {
  test("sends one token, asks the port, and says that the gate is open", async () => {
    const port = await answer();
    await addProfile(port);
    const { exitCode, out } = await run("knock", "edge");
    expect(out).toMatch(
      new RegExp(`^edge: gate ssh is open after \\d+ ms: port ${port} of 127\\.0\\.0\\.1 answers\n$`),
    );
    expect(exitCode).toBe(0);
    expect(receiver.rest.map((token) => token.length)).toEqual([32]);
    expect(findSlots(receiver.rest)[0]).toBeOneOf([0, -1]);
  });

  test("sends another token each time", async () => {
    await addProfile(await answer());
    await Promise.all([run("knock", "edge"), run("knock", "edge")]);
    await run("knock", "edge");
    expect(new Set(receiver.rest).size).toBe(3);
  });

  test("says how many tokens it sent in vain, and why that may be", async () => {
    const silent = await listenSilently();
    await addProfile(silent.port);
    const { exitCode, out } = await run("knock", "edge", "--tries", "2");
    await silent.close();
    expect(exitCode).toBe(1);
    expect(out).toMatch(
      new RegExp(
        `^edge: gate ssh stayed closed: port ${silent.port} was silent after 2 tokens\n  no token was taken: 2 tokens were sent for user ada at host 127\\.0\\.0\\.1\\. Likely causes:\n(  .+\n){6}$`,
      ),
    );
    expect(receiver.rest).toHaveLength(2);
    expect(out).not.toContain(key);
  }, 20_000);

  test("does not ask a gate whose opening that would use up", async () => {
    const port = await answer();
    await addProfile(port, { singleConnection: true });
    const { exitCode, out } = await run("knock", "edge", "-v");
    expect([exitCode, out]).toEqual([
      0,
      "edge: gate ssh: token sent to 127.0.0.1; asking would use up the opening\n",
    ]);
    expect(receiver.rest).toHaveLength(1);
  });
});

describe("knockgate proxy with tokens", () => {
  test("sends a token and copies", async () => {
    const port = await answer();
    await addProfile(port, { singleConnection: true });
    expect(await run("proxy", "edge")).toMatchObject({ exitCode: 0, err: "" });
    expect(receiver.rest).toHaveLength(1);
  });

  test("says why no token may have been taken", async () => {
    const silent = await listenSilently();
    await addProfile(silent.port);
    const { exitCode, err } = await run("proxy", "edge", "--tries", "1");
    await silent.close();
    expect(exitCode).toBe(3);
    expect(err).toMatch(/was silent \(tokens sent: 1\); no token was taken: one token was sent for user ada/);
  });
});

describe("knockgate close", () => {
  test("sends a token with one byte more, and says that the port is silent", async () => {
    const once = await listenSilently(true);
    await addProfile(once.port, {}, undefined, 22);
    const { exitCode, out } = await run("close", "edge", "--gate", "ssh");
    await once.close();
    expect([exitCode, out]).toEqual([0, `edge: gate ssh is closed now: port ${once.port} is silent\n`]);
    expect(receiver.rest.map((token) => token.slice(32))).toEqual(["00"]);
  });

  test("says that the port still answers after all tokens", async () => {
    await addProfile(await answer());
    const { exitCode, out } = await run("close", "edge", "--json");
    expect(exitCode).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ host: "edge", gate: "ssh", isOpen: true });
    expect(new Set(receiver.rest).size).toBe(9);
  });

  test("sends nothing where the port is silent already", async () => {
    const silent = await listenSilently();
    await addProfile(silent.port);
    const { exitCode, out } = await run("close", "edge");
    expect([exitCode, out]).toEqual([
      0,
      `edge: gate ssh was closed already: port ${silent.port} is silent, so nothing was sent\n`,
    ]);
    await silent.close();
    expect(receiver.rest).toEqual([]);
  });

  test("sends one token where the port can't be asked", async () => {
    await addProfile(await answer(), { singleConnection: true });
    const { exitCode, out } = await run("close", "edge");
    expect([exitCode, out]).toEqual([
      0,
      "edge: gate ssh was told to close; nothing shows from here whether its door is closed\n",
    ]);
    expect(receiver.rest.map((token) => token.length)).toEqual([34]);
  });

  test("refuses the gate of a sequence", async () => {
    const input = JSON.stringify(makeOutputs("old", { host: "127.0.0.1", port: 22, user: "ops" }));
    await play(["profile", "add", "-"], { environment, input });
    expect(await run("close", "old")).toMatchObject({
      exitCode: 3,
      err: "knockgate: gate ssh of old is opened by a sequence, and only a token can close a door; it closes by itself. Nothing was sent. [ARGUMENTS_INVALID]\n",
    });
  });
});

describe("a profile with tokens", () => {
  test("holds the key of one user, and only the gates of that user", async () => {
    await addProfile(22, {}, "ci");
    const { out } = await run("profile", "export", "edge");
    expect(JSON.parse(out).gates).toEqual([
      {
        gate: "db",
        protect: [{ tcp: "5432" }],
        openForSeconds: 30,
        token: { udp: receiver.port },
        user: "ci",
        key: users[1]?.key,
        policy: "edge",
        tokenHost: "127.0.0.1",
        tokens: { slotSeconds: 60, horizonDays: 7, graceSeconds: 120 },
      },
    ]);
    expect(out).not.toContain(key);
    expect((await run("profile", "list")).out).toBe("edge: ops@127.0.0.1:22, gates: db (as ci)\n");
  });

  test.each([
    [{ key: "short" }, "gates[0].key: it is not 32 to 64 characters"],
    [{ token: { tcp: 7 } }, "gates[0].token: it does not name a UDP port or an echo request"],
    [{ user: undefined }, "gates[0].user: it is not a text"],
    [{ tokens: { slotSeconds: 1 } }, "gates[0].tokens.slotSeconds: it is not a whole number from 10"],
  ])("is refused with %j, and the field is named", async (wrong, words) => {
    await addProfile(22);
    const { gates, ...rest } = JSON.parse((await run("profile", "export", "edge")).out);
    const input = JSON.stringify({ profile: { ...rest, gates: [{ ...gates[0], ...wrong }] } });
    const { exitCode, err } = await play(["profile", "add", "-"], { environment, input });
    expect([exitCode, err]).toEqual([3, expect.stringContaining(words)]);
    expect(err).not.toContain(key);
  });
});
