import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { makeProfile, type Profile } from "../../../../src/knock/clients/profile";
import type { SshEndpoint } from "../../../../src/knock/clients/ssh-endpoint";
import { writeStandalone } from "../../../../src/knock/clients/standalone";
import type { PolicyInput } from "../../../../src/policy/policy";
import { tokenOf } from "../../../../src/policy/token";
import { readPolicy } from "../../policy/read-policy";
import { listen, type Receiver } from "../receiver";
import { listenSilently } from "../silent-port";
import { makeHome, writeTool } from "./home";
import { findInPath, withoutClock } from "./shells";

const slot = 29_940_000;
const key = "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ";
const tokenFor = (at: number) => tokenOf(key, { policy: "edge", gate: "ssh", host: "127.0.0.1", slot: at });

let receiver: Receiver;
let home: string;
beforeEach(async () => {
  receiver = await listen();
  home = makeHome();
  // All other programs that it may start, and no Node, no sha256sum, no openssl.
  for (const tool of ["cat", "ls", "mkdir", "rm", "sleep"])
    symlinkSync(findInPath(tool) ?? "", join(home, "bin", tool));
  writeTool(home, "date", `echo ${slot * 60}`);
});
afterEach(() => {
  receiver.close();
  rmSync(home, { recursive: true });
});

function profile(
  name: string,
  knock: PolicyInput["gates"][number]["knock"],
  way: Partial<SshEndpoint> & Pick<SshEndpoint, "port">,
): Profile {
  const users = knock.token === undefined ? [] : [{ name: "ada", key }];
  const gates = [{ name: "ssh", protect: [{ tcp: `${way.port}` }], knock }];
  const policy = readPolicy({ name: "edge", users, gates });
  return makeProfile(name, { host: "127.0.0.1", user: "ops", ...way }, policy);
}

/** Writes the script, and returns what runs it. The result is what it printed, and its code. */
function install(...profiles: readonly Profile[]) {
  const file = join(home, "knock");
  writeFileSync(file, writeStandalone(profiles), { mode: 0o600 });
  return async (words: readonly string[] = [], input = "") => {
    const env = { HOME: home, PATH: join(home, "bin"), ...withoutClock };
    const child = spawn(findInPath("bash") ?? "", [file, ...words], { env });
    child.stdin.on("error", () => undefined).write(input);
    const said = Promise.all([text(child.stdout), text(child.stderr)]);
    const [code] = await once(child, "exit");
    child.stdin.end();
    return [code, ...(await said)] as const;
  };
}

/** The command lines of all processes of this machine. */
function listCommands(): readonly string[] {
  return readdirSync("/proc").flatMap((entry) => {
    try {
      return /^\d+$/.test(entry) ? [readFileSync(join("/proc", entry, "cmdline"), "utf8")] : [];
    } catch {
      return [];
    }
  });
}

async function serve(): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((socket) => socket.on("data", (it) => socket.end(`you said ${it}`)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

describe("the script, called as ssh calls it", () => {
  test("sends a token, connects and copies, with no other program than coreutils", async () => {
    const { port, close } = await serve();
    const run = install(profile("edge", { token: { udp: receiver.port } }, { port }));
    expect(await run(["edge", `${port}`], "hello")).toEqual([0, "you said hello", ""]);
    expect(receiver.rest).toEqual([tokenFor(slot)]);
    close();
  });

  test("starts no program before a token is sent, but one that makes the list of used slots", async () => {
    const log = join(home, "log");
    for (const tool of ["cat", "ls", "mkdir", "rm", "sleep"]) {
      writeTool(home, tool, `echo ${tool} $* >>${log}; exec ${findInPath(tool)} "$@"`);
    }
    const run = install(profile("edge", { token: { udp: receiver.port } }, { port: 1 }));
    await run(["edge", "1"]);
    await run(["edge", "1"]);
    const started = readFileSync(log, "utf8").split("\n").slice(0, -1);
    expect(started).toEqual([expect.stringMatching(/^mkdir -p \/.*\/knockgate\/used-slots\/[0-9a-f]{16}$/)]);
    expect(receiver.rest).toEqual([slot, slot + 1].map(tokenFor));
  });

  test("goes on with other tokens while the port is silent, and says so at the end", async () => {
    const silent = await listenSilently();
    const run = install(profile("edge", { token: { udp: receiver.port } }, silent));
    const ended = run(["edge", `${silent.port}`]);
    expect(await receiver.take(3)).toEqual([slot, slot + 1, slot + 10_081].map(tokenFor));
    await silent.close();
    expect(await ended).toEqual([1, "", expect.stringMatching(/^knockgate: no knock opened the port/)]);
  });

  test("sends a sequence again while the port is silent", async () => {
    const [silent, step] = [await listenSilently(), await listenSilently()];
    const steps = [{ udp: receiver.port, udpPayloadBytes: 3 }, { tcp: step.port }, { udp: receiver.port }];
    writeTool(home, "dd", `exec ${findInPath("dd")} "$@"`);
    const run = install(profile("edge", { steps }, silent));
    const ended = run(["edge", `${silent.port}`]);
    // The step in the middle is silent, too, and does not hold up the last one.
    expect(await receiver.take(4)).toEqual(["000000", "0a", "000000", "0a"]);
    await Promise.all([silent.close(), step.close()]);
    expect((await ended)[0]).toBe(1);
  });

  test("leaves no process behind when ssh kills it while the port is silent", async () => {
    const silent = await listenSilently();
    const file = join(home, "knock");
    install(profile("edge", { token: { udp: receiver.port } }, silent));
    const env = { HOME: home, PATH: join(home, "bin") };
    const child = spawn(findInPath("bash") ?? "", [file, "edge", `${silent.port}`], { env, stdio: "ignore" });
    await receiver.take(1);
    const count = () => listCommands().filter((command) => command.includes(file)).length;
    await vi.waitFor(() => expect(count()).toBe(2), 5_000);
    child.kill("SIGKILL");
    await vi.waitFor(() => expect(count()).toBe(0), 5_000);
    await silent.close();
  });

  test("sends no token twice, also when four connect at once", async () => {
    const run = install(profile("edge", { token: { udp: receiver.port } }, { port: 1 }));
    await Promise.all([1, 2, 3, 4].map(() => run(["edge", "1"])));
    expect([...(await receiver.take(4))].sort()).toEqual(
      [0, 1, 2, 3].map((far) => tokenFor(slot + far)).sort(),
    );
  });

  test("names a tool that it lacks, and sends nothing", async () => {
    const run = install(
      profile("edge", { token: { icmpEcho: true } }, { port: 1 }),
      profile("two", { steps: [{ icmpPayloadBytes: 77 }, { udp: receiver.port }] }, { port: 1 }),
    );
    expect(await run(["edge", "1"])).toEqual([127, "", "ping: not found\n"]);
    expect(await run(["two", "1"])).toEqual([1, "", expect.stringContaining("ping")]);
    expect(receiver.rest).toEqual([]);
  });

  test.each([
    [["web", "22"], "no gate of web"],
    [["edge"], "with a host and a port"],
    [["edge", "22;id"], "with a host and a port"],
  ])("refuses %j", async (words, message) => {
    const run = install(profile("edge", { token: { udp: receiver.port } }, { port: 22 }));
    expect(await run(words)).toEqual([2, "", expect.stringContaining(message)]);
    expect(existsSync(join(home, ".config"))).toBe(false);
  });
});

describe("the script, called without arguments", () => {
  test("prints blocks with its own path, and nothing that is secret", async () => {
    const open = makeProfile("plain", { host: "203.0.113.8", port: 2_222, user: "ops" }, undefined);
    const steps = [{ tcp: 7_411 }, { udp: 8_522 }, { tcp: 6_633 }];
    const run = install(
      profile("edge", { token: { udp: 62_201 } }, { port: 22, host: "fe80::1%eth0" }),
      profile("db", { steps }, { port: 22 }),
      open,
    );
    const proxy = (name: string) => `  ProxyCommand bash ${join(home, "knock")} ${name} %p`;
    expect(await run()).toEqual([
      0,
      [
        "Host edge",
        "  HostName fe80::1%%eth0",
        "  User ops",
        "  Port 22",
        proxy("edge"),
        "",
        "Host db",
        "  HostName 127.0.0.1",
        "  User ops",
        "  Port 22",
        proxy("db"),
        "",
        "Host plain",
        "  HostName 203.0.113.8",
        "  User ops",
        "  Port 2222",
        "",
      ].join("\n"),
      "",
    ]);
  });

  test("warns when others may read it, and refuses a path that ssh_config can't hold", async () => {
    const run = install(profile("edge", { token: { udp: 62_201 } }, { port: 22 }));
    chmodSync(join(home, "knock"), 0o640);
    expect(await run()).toEqual([
      0,
      expect.stringMatching(/^Host edge/),
      expect.stringContaining("others may use"),
    ]);
    const odd = join(home, "a b");
    writeFileSync(odd, readFileSync(join(home, "knock")));
    const child = spawn("bash", [odd]);
    const said = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(said).toEqual(["", expect.stringContaining("ssh_config can't hold the path")]);
  });
});

describe("there is no script", () => {
  test.each([
    [
      "for a host behind a bastion",
      { token: { udp: 1 } },
      { proxy: { host: "b", port: 22, user: "j" } },
      "behind a bastion",
    ],
    ["for a step that bash can't send", { steps: [{ udp: 1, udpPayloadBytes: 0 }] }, {}, "can't send"],
    ["for a host that a shell would read", { token: { udp: 1 } }, { host: "$(id)" }, "can't be written"],
    ["for a host that is an option", { token: { udp: 1 } }, { host: "-x" }, "can't be written"],
  ])("%s", (_what, knock, way, words) => {
    expect(() => writeStandalone([profile("edge", knock, { port: 22, ...way })])).toThrow(words);
  });
});

test("a script has each part once, and only those that it needs", () => {
  const steps = [{ tcp: 7_411 }, { udp: 8_522 }, { tcp: 6_633 }];
  const [tokens, sequence] = [
    writeStandalone(["a", "b"].map((name) => profile(name, { token: { udp: 62_201 } }, { port: 22 }))),
    writeStandalone([profile("a", { steps }, { port: 22 })]),
  ];
  expect(tokens?.match(/add_block\(\)/g)).toHaveLength(1);
  expect(tokens).not.toContain(key);
  expect(sequence).not.toContain("add_block");
  expect(sequence).not.toContain("used-slots");
});
