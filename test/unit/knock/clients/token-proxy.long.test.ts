import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeSshConfig } from "../../../../src/knock/clients/ssh-config";
import type { SshEndpoint } from "../../../../src/knock/clients/ssh-endpoint";
import type { PolicyInput } from "../../../../src/policy/policy";
import { tokenOf } from "../../../../src/policy/token";
import { readPolicy } from "../../policy/read-policy";
import { listen, type Receiver } from "../receiver";
import { listenSilently } from "../silent-port";
import { makeHome, writeTool } from "./home";
import { withoutClock } from "./shells";

const slot = 29_940_000;
const key = "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ";
const users = [
  { name: "ada", key },
  { name: "ci", key: "x".repeat(43), gates: ["wg"] },
];

let receiver: Receiver;
let home: string;
beforeEach(async () => {
  receiver = await listen();
  home = makeHome();
  mkdirSync(join(home, ".ssh"));
  writeTool(home, "date", `echo ${slot * 60}`);
});
afterEach(() => {
  receiver.close();
  rmSync(home, { recursive: true });
});

function writeBlock(port: number, way: Partial<SshEndpoint> = {}, user?: string): string {
  const token = { udp: receiver.port };
  const gates: PolicyInput["gates"] = [
    { name: "ssh", protect: [{ tcp: `${port}` }], knock: { token } },
    { name: "wg", protect: [{ udp: "51820" }], knock: { token } },
  ];
  const policy = { ...readPolicy({ name: "edge", users, gates }) };
  return writeSshConfig("edge", { host: "127.0.0.1", port, user: "ops", ...way }, policy, user);
}

/** Runs the block's ProxyCommand as ssh does, with the home folder of the test. */
async function runProxy(config: string, port: number, input = ""): Promise<readonly [string, string]> {
  const [, command = "exit 1"] = /ProxyCommand (.*)$/m.exec(config) ?? [];
  const words = command.replaceAll(/%[%p]/g, (word) => (word === "%p" ? `${port}` : "%"));
  const PATH = [join(home, "bin"), process.env["PATH"]].join(delimiter);
  const proxy = spawn("bash", ["-c", `exec ${words}`], { env: { HOME: home, PATH, ...withoutClock } });
  // A proxy that refuses ends before it reads.
  proxy.stdin.on("error", () => undefined);
  proxy.stdin.write(input);
  const said = Promise.all([text(proxy.stdout), text(proxy.stderr)]);
  await once(proxy, "exit");
  proxy.stdin.end();
  return said;
}

const tokenFor = (at: number) => tokenOf(key, { policy: "edge", gate: "ssh", host: "127.0.0.1", slot: at });

test("the ProxyCommand sends a token with the key of the block, connects and copies", async () => {
  const server = createServer((socket) => socket.on("data", (it) => socket.end(`you said ${it}`)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const config = writeBlock(port);
  writeFileSync(join(home, ".ssh", "edge"), config);
  expect(await runProxy(config, port, "hello")).toEqual(["you said hello", ""]);
  expect(receiver.rest).toEqual([tokenFor(slot)]);
  server.close();
});

test("the ProxyCommand goes on with other slots while the port is silent", async () => {
  const silent = await listenSilently();
  const config = writeBlock(silent.port);
  writeFileSync(join(home, ".ssh", "edge"), config);
  const ended = runProxy(config, silent.port);
  expect(await receiver.take(3)).toEqual([slot, slot + 1, slot + 10_081].map(tokenFor));
  await silent.close();
  expect(await ended).toEqual(["", expect.stringContaining("no token opened the port")]);
  // The port refuses now, so no more tokens are spent.
  expect(receiver.rest.length).toBeLessThan(2);
});

test("the ProxyCommand sends no token twice, also when two connect at once, and neither through a bastion", async () => {
  const [direct, through] = [writeBlock(1), writeBlock(1, { proxy: { host: "b", port: 22, user: "jump" } })];
  writeFileSync(join(home, ".ssh", "edge"), direct);
  writeTool(home, "ssh", `case "$*" in *-W*) exit ;; *) eval "\${@: -1}" ;; esac`);
  await Promise.all([runProxy(direct, 1), runProxy(direct, 1)]);
  await runProxy(through, 1);
  await runProxy(through, 1);
  const sent = await receiver.take(4);
  expect([...sent].sort()).toEqual([0, 1, 2, 3].map((far) => tokenFor(slot + far)).sort());
});

test("the block has the key in its comment only, and the command has no character that another shell reads", () => {
  const config = writeBlock(22);
  const [, comment = ""] = /^ {2}#knockgate-key [0-9a-f]{8} ([0-9a-f]{128})$/m.exec(config) ?? [];
  expect(Buffer.from(comment.slice(0, 86), "hex").toString()).toBe(key);
  expect(config.split(comment)).toHaveLength(2);
  expect(config).not.toContain(key);
  const [, command = ""] = /ProxyCommand (.*)/.exec(config) ?? [];
  expect(command).toMatch(/^bash -c '[^'\\]+' knock 127\.0\.0\.1 %p$/);
  expect(command.replaceAll("%%", "")).not.toMatch(/%(?!p$)/);
});

test("the ProxyCommand says where it looked when the key is not there, and sends nothing", async () => {
  const [out, err] = await runProxy(writeBlock(22), 22);
  expect([out, err]).toEqual(["", expect.stringMatching(/^knockgate: no key below ~\/\.ssh: /)]);
  expect(receiver.rest).toEqual([]);
});

test("the ProxyCommand finds its own key beside those of other users", async () => {
  const config = writeBlock(1);
  writeFileSync(join(home, ".ssh", "a"), `  #knockgate-key 00000000 ${"0".repeat(128)}\n`);
  mkdirSync(join(home, ".ssh", "config.d"));
  writeFileSync(join(home, ".ssh", "config.d", "edge"), config);
  expect(await runProxy(config, 1)).toEqual(["", expect.stringContaining("nothing listens there")]);
  expect(receiver.rest).toEqual([tokenFor(slot)]);
});

test("through a bastion, only a token leaves this machine", async () => {
  const proxy = { host: "bastion.example", port: 22, user: "jump" };
  const config = writeBlock(22, { proxy });
  writeFileSync(join(home, ".ssh", "edge"), config);
  // The bastion's shell, in place of ssh: it runs what it gets, and keeps what it is told.
  writeTool(
    home,
    "ssh",
    `echo "$@" >>${home}/words; case "$*" in *-W*) exit ;; *) tee ${home}/sent | eval "\${@: -1}" ;; esac`,
  );
  expect(await runProxy(config, 22)).toEqual(["", ""]);
  expect(await receiver.take(1)).toEqual([tokenFor(slot)]);
  const words = readFileSync(join(home, "words"), "utf8");
  expect(words).toBe(
    "-l jump -p 22 bastion.example bash -s -- 127.0.0.1\n-l jump -p 22 -W [127.0.0.1]:22 bastion.example\n",
  );
  expect(readFileSync(join(home, "sent"), "utf8")).toMatch(/^h=\$1; read -r r; .*\n(\\\d{3}){16}\n$/);
});

test("a user whose tokens do not open the gate gets no key and no command", () => {
  const config = writeBlock(22, {}, "ci");
  expect(config).toContain("  # The tokens of ci do not open gate ssh\n");
  expect(config).not.toMatch(/knockgate-key|ProxyCommand/);
});
