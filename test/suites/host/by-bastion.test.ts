import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { tryConnect } from "../../../lab/packets";
import { changeHost } from "../../../src/change/change";
import { makeProfile } from "../../../src/knock/clients/profile";
import { readSshEndpoint } from "../../../src/knock/clients/ssh-endpoint";
import type { Policy } from "../../../src/policy/policy";
import type { StepInput } from "../../../src/policy/step";
import { hideBehind } from "./bastions";
import { claimHost, connectionTo, deployTo } from "./deployment";
import { makePolicy } from "./policies";

const main = join(__dirname, "..", "..", "..", "dist", "cli", "main.js");
const steps: StepInput[] = [{ tcp: 47_001 }, { udp: 58_002, udpPayloadBytes: 833 }, { tcp: 39_003 }];
const secrets = /47001|58002|39003|\b833\b/;
/** Short, so that each test finds the door closed again. */
const openForSeconds = 2;

function gatesOf(knocks: readonly StepInput[]): Policy {
  const knock = { steps: [...knocks] };
  return makePolicy({
    gates: [
      { name: "ssh", protect: [{ tcp: "22" }], knock, openForSeconds },
      {
        name: "web",
        protect: [{ tcp: "443" }],
        knock: { steps: [...knocks, { tcp: 30_303 }] },
        openForSeconds,
      },
      {
        name: "voice",
        protect: [{ udp: "5060" }],
        knock: { steps: [{ udp: 40_404 }, ...knocks] },
        openForSeconds,
      },
    ],
    acceptRisks: ["window-too-short"],
  });
}

let lab: Lab;
let bastion: LabHost;
let host: LabHost;
let program: string;
beforeAll(async () => {
  lab = await openLab({ hosts: 2 });
  bastion = claimHost(lab);
  host = claimHost(lab);
  const policy = gatesOf(steps);
  await changeHost({ policy, owner: "me", undoAfterSeconds: 60 }, await deployTo(lab, host));
  await hideBehind(bastion, host);
  // ssh gets its own key for the bastion from a file.
  const key = join(lab.directory, "key");
  writeFileSync(key, lab.privateKey, { mode: 0o600 });
  const tools = join(lab.directory, "tools");
  mkdirSync(tools, { mode: 0o700 });
  writeFileSync(join(tools, "ssh"), `#!/bin/sh\nexec /usr/bin/ssh -i ${key} "$@"\n`);
  chmodSync(join(tools, "ssh"), 0o755);
  program = `env PATH=${tools}:/usr/bin:/bin XDG_CONFIG_HOME=${lab.directory} ${process.execPath} ${main}`;
  for (const [name, address, gates] of [
    ["inner", host.ipv4, policy],
    ["inner6", host.ipv6, policy],
    ["wrong", host.ipv4, gatesOf(steps.toReversed())],
  ] as const) {
    const proxy = { ...connectionTo(lab, bastion), user: "plain" };
    const way = readSshEndpoint({ ...connectionTo(lab, host), host: address, user: "plain", proxy });
    await knockgate(["profile", "add", "-"], JSON.stringify({ profile: makeProfile(name, way, gates) }));
  }
});
afterAll(() => lab?.close());

function knockgate(words: readonly string[], stdin = "") {
  return runCommand([...program.split(" "), ...words], { check: false, stdin });
}

async function expectClosed(address = host.ipv4): Promise<void> {
  await expect
    .poll(() => tryConnect(bastion, address, 22, 400), { timeout: 10_000, interval: 100 })
    .toBe("silent");
}

/** Drops the first datagram of the knock before the gate sees it, and no later one. */
async function loseFirst(): Promise<void> {
  const seen = "set seen { type inet_service; flags dynamic; size 16; }";
  const rule = "udp dport 58002 udp dport != @seen add @seen { udp dport } drop";
  await host.run(["nft", "-f", "-"], {
    stdin: `table inet lossy {\n${seen}\nchain input {\ntype filter hook prerouting priority -400;\n${rule}\n}\n}\n`,
  });
}

async function countLost(): Promise<number> {
  const { stdout } = await host.run(["nft", "list", "set", "inet", "lossy", "seen"]);
  await host.run(["nft", "delete", "table", "inet", "lossy"]);
  return stdout.includes("58002") ? 1 : 0;
}

test.each(["inner", "inner6"])(
  "knock tells that the gate of %s is open, as the bastion sees it",
  async (name) => {
    const address = name === "inner" ? host.ipv4 : host.ipv6;
    await expectClosed(address);
    const { code, stdout, stderr } = await knockgate(["knock", name, "-v"]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        new RegExp(
          `^${name}: gate ssh is open after \\d+ ms: port 22 of ${address} answers from ${bastion.ipv4}\n$`,
        ),
      ),
    ]);
    expect(stderr).toBe(`knock 1 sent from ${bastion.ipv4} to ${address}\n`);
    expect(await tryConnect(bastion, address, 22, 400)).toBe("open");
  },
);

test("knock counts a refusal as open, and says of a gate without a TCP port that it can't tell", async () => {
  const refused = await knockgate(["knock", "inner", "--gate", "web", "--json"]);
  expect(JSON.parse(refused.stdout)).toMatchObject({
    gate: "web",
    port: 443,
    isOpen: true,
    isListening: false,
    knocks: 1,
  });
  const unasked = await knockgate(["knock", "inner", "--gate", "voice"]);
  expect([unasked.code, unasked.stdout]).toEqual([
    0,
    `inner: gate voice: knock sent to ${host.ipv4} from ${bastion.ipv4}; nothing shows from here whether it is open\n`,
  ]);
});

test("knock says that the gate stayed closed, after all of its tries", async () => {
  await expectClosed();
  const { code, stdout, stderr } = await knockgate(["knock", "wrong", "--tries", "2", "-v"]);
  expect([code, stdout]).toEqual([1, "wrong: gate ssh stayed closed: port 22 was silent after 2 knocks\n"]);
  expect(stderr.match(/^knock \d/gm)).toEqual(["knock 1", "knock 2"]);
  expect(stdout + stderr).not.toMatch(secrets);
});

test("knock and proxy knock again when a step is lost", async () => {
  await expectClosed();
  await loseFirst();
  const { stdout } = await knockgate(["knock", "inner", "--json"]);
  expect([JSON.parse(stdout), await countLost()]).toMatchObject([
    { isOpen: true, isListening: true, knocks: 2 },
    1,
  ]);
  await expectClosed();
  await loseFirst();
  const { stdout: banner } = await knockgate(["proxy", "inner"]);
  expect([banner, await countLost()]).toEqual([expect.stringMatching(/^SSH-2\.0-OpenSSH/), 1]);
});

test("proxy lets ssh through, and says what keeps it out", async () => {
  await expectClosed();
  const config = join(lab.directory, "config");
  const { stdout } = await knockgate(["ssh-config", "inner", "--program", program]);
  writeFileSync(config, `${stdout}\nHost *\n  IdentityFile ${join(lab.directory, "key")}\n`);
  expect((await runCommand(["ssh", "-F", config, "inner", "hostname"])).stdout).toBe("host2\n");
  await expectClosed();
  const closed = await knockgate(["proxy", "wrong", "--tries", "1"]);
  expect(closed).toEqual({
    code: 3,
    stdout: "",
    stderr: "knockgate: wrong: port 22 was silent (knocks sent: 1) [UNREACHABLE]\n",
  });
  const refused = await knockgate(["proxy", "inner", "443"]);
  expect(refused.stderr).toBe(
    "knockgate: inner: port 443 refused the connection: nothing listens there [UNREACHABLE]\n",
  );
});

describe("a bastion whose startup file", () => {
  const write = (text: string) =>
    bastion.run(
      ["sh", "-c", "sed -i '/^plain:/s,/bin/sh,/bin/bash,' /etc/passwd; cat >/home/plain/.bashrc"],
      {
        stdin: text,
      },
    );
  afterAll(() => bastion.run(["rm", "/home/plain/.bashrc"]));

  test("prints without a line break sends the knock all the same", async () => {
    await expectClosed();
    await write("printf 'hi '\n");
    const { code, stdout } = await knockgate(["knock", "inner"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("gate ssh is open")]);
  });

  test("starts another shell gets no step of the knock, and the error says so", async () => {
    await expectClosed();
    await write("exec sh\n");
    const { code, stdout, stderr } = await knockgate(["knock", "inner"]);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toContain("it did not run bash");
    expect(stderr).not.toMatch(secrets);
  });
});
