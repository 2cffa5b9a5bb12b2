import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CommandOptions, runCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { tryConnect } from "../../../lab/packets";
import { changeHost } from "../../../src/change/change";
import { makeProfile } from "../../../src/knock/clients/profile";
import { readSshEndpoint } from "../../../src/knock/clients/ssh-endpoint";
import type { Policy } from "../../../src/policy/policy";
import type { StepInput } from "../../../src/policy/step";
import { claimHost, connectionTo, deployTo } from "./deployment";
import { makePolicy } from "./policies";

const main = join(__dirname, "..", "..", "..", "dist", "cli", "main.js");
const secrets = /47001|58002|39003|47101|58102|39103|\b833\b|\b977\b/;
const sshSteps: StepInput[] = [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 39_003 }];
const mixedSteps: StepInput[] = [
  { tcp: 47_101 },
  { udp: 58_102, udpPayloadBytes: 833 },
  { icmpPayloadBytes: 977 },
];
const policy: Policy = makePolicy({
  gates: [
    // Short, so that each test finds the door closed again.
    { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: sshSteps }, openForSeconds: 1 },
    { name: "mixed", protect: [{ tcp: "2001" }], knock: { steps: mixedSteps }, openForSeconds: 1 },
  ],
  acceptRisks: ["window-too-short"],
});

let lab: Lab;
let host: LabHost;
beforeAll(async () => {
  lab = await openLab({ hosts: 1 });
  host = claimHost(lab);
  await changeHost({ policy, owner: "me", undoAfterSeconds: 60 }, await deployTo(lab, host));
  writeFileSync(join(lab.directory, "key"), lab.privateKey, { mode: 0o600 });
  for (const [name, address] of [
    ["edge", host.ipv4],
    ["edge6", host.ipv6],
  ] as const)
    await addProfile(name, address);
});
afterAll(() => lab?.close());

function outputsOf(name: string, address: string) {
  const way = readSshEndpoint({ ...connectionTo(lab, host), host: address, user: "plain" });
  return JSON.stringify({ profile: makeProfile(name, way, policy) });
}

/** Runs the built program as a process, with a home of its own. */
function knockgate(words: readonly string[], options: CommandOptions = {}, loader: readonly string[] = []) {
  const home = `XDG_CONFIG_HOME=${lab.directory}`;
  return runCommand(["env", home, process.execPath, ...loader, main, ...words], { check: false, ...options });
}

async function addProfile(name: string, address: string): Promise<void> {
  await knockgate(["profile", "add", "-"], { stdin: outputsOf(name, address), check: true });
}

async function expectClosed(port: number, address = host.ipv4): Promise<void> {
  await expect
    .poll(() => tryConnect("outside", address, port, 400), { timeout: 10_000, interval: 100 })
    .toBe("silent");
}

describe("knockgate knock", () => {
  test.each(["edge", "edge6"])("opens the gate of profile %s and says so without the knock", async (name) => {
    await expectClosed(22, name === "edge" ? host.ipv4 : host.ipv6);
    const { code, stdout, stderr } = await knockgate(["knock", name, "-v"]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^edge6?: gate ssh is open after \d+ ms: port 22 of /),
    ]);
    expect(stderr.match(/step \d of 3 sent/g)).toEqual([
      "step 1 of 3 sent",
      "step 2 of 3 sent",
      "step 3 of 3 sent",
    ]);
    expect(stdout + stderr).not.toMatch(secrets);
  });

  test("sends ICMP steps and sizes, and counts a refusal as open", async () => {
    await expectClosed(2_001);
    const { stdout } = await knockgate(["knock", "edge", "--gate", "mixed", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      gate: "mixed",
      port: 2_001,
      isOpen: true,
      isListening: false,
      knocks: 1,
    });
  });

  test("takes a stack's outputs, and steps of the command line", async () => {
    await expectClosed(22);
    const stack = await knockgate(["knock", "edge", "--stack"], { stdin: outputsOf("edge", host.ipv4) });
    expect(stack.code).toBe(0);
    await expectClosed(22);
    const steps = ["-s", "tcp:47001", "-s", "udp:58002", "-s", "tcp:39003"];
    expect((await knockgate(["knock", host.ipv4, ...steps])).code).toBe(0);
  });

  test("says that the gate stayed closed when the knock is another", async () => {
    await expectClosed(22);
    const { code, stdout } = await knockgate(["knock", host.ipv4, "-s", "tcp:47002", "--tries", "2"]);
    expect([code, stdout]).toEqual([1, `${host.ipv4} stayed closed: port 22 was silent after 2 knocks\n`]);
  });

  test("says that a step could not be sent, without its port, which the system's message has", async () => {
    const { code, stderr } = await knockgate(["knock", "255.255.255.255", "-s", "udp:47002"]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/: step 1 of the knock could not be sent: E[A-Z]+ \[UNREACHABLE\]\n$/);
    expect(stderr).not.toContain("47002");
  });

  test("loads neither ssh2 nor Pulumi nor zod", async () => {
    const list = join(lab.directory, "list.cjs");
    writeFileSync(
      list,
      'process.on("exit", () => process.stderr.write(Object.keys(require.cache).join("\\n")));\n',
    );
    const { stderr } = await knockgate(["knock", "edge", "--tries", "1"], {}, ["-r", list]);
    expect(stderr).toContain("/dist/cli/main.js");
    expect(stderr.split("\n").filter((path) => path.includes("node_modules"))).toEqual([]);
  });

  test("lets ping send when perl may not, but only with --ping", async () => {
    // A perl that may not open sockets for echo requests, and a user's ping that may.
    const tools = join(lab.directory, "tools");
    mkdirSync(tools);
    const noSockets = '#!/bin/sh\nprintf "echo 4 no not permitted\\necho 6 no not permitted\\nend\\n"\n';
    writeFileSync(join(tools, "perl"), noSockets);
    const log = join(tools, "log");
    writeFileSync(join(tools, "ping"), `#!/bin/sh\necho >>${log}\nexec /usr/bin/env -i /bin/ping "$@"\n`);
    for (const tool of ["perl", "ping"]) chmodSync(join(tools, tool), 0o755);
    const run = (words: readonly string[]) =>
      runCommand(
        [
          "env",
          `XDG_CONFIG_HOME=${lab.directory}`,
          `PATH=${tools}:/usr/bin:/bin`,
          process.execPath,
          main,
          ...words,
        ],
        { check: false },
      );
    const words = ["knock", "edge", "--gate", "mixed"];
    await expectClosed(2_001);
    const refused = await run(words);
    expect([refused.code, refused.stdout]).toEqual([3, ""]);
    expect(refused.stderr).toMatch(
      /may not send ICMP echo requests.*Nothing was sent\. Or add --ping\. \[HOST_UNFIT\]/,
    );
    const { code } = await run([...words, "--ping"]);
    expect(code).toBe(0);
    expect(readFileSync(log, "utf8")).toBe("\n");
  });
});

describe("knockgate lint", () => {
  test("runs a policy in TypeScript, and does not quote one that throws", async () => {
    const file = join(lab.directory, "policy.ts");
    const gate = `{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }`;
    const types = `const steps: { tcp?: number; udp?: number }[] = ${JSON.stringify(sshSteps)};\n`;
    for (const exported of ["export const policy =", "export default"]) {
      writeFileSync(file, `${types}${exported} { name: "edge", gates: [${gate}] };\n`);
      expect(await knockgate(["lint", file])).toEqual({
        code: 0,
        stdout: "errors: 0, warnings: 0\n",
        stderr: "",
      });
    }
    writeFileSync(file, `${types}throw new RangeError(JSON.stringify(steps));\n`);
    const { code, stderr } = await knockgate(["lint", file]);
    expect([code, stderr]).toEqual([
      3,
      `knockgate: ${file}: it could not be loaded (RangeError) [ARGUMENTS_INVALID]\n`,
    ]);
  });
});

describe("in a shell", () => {
  test("colours go only to a terminal, and not to one that wants none", async () => {
    const file = join(lab.directory, "wrong.json");
    writeFileSync(file, "{}");
    const command = `${process.execPath} ${main} lint ${file}`;
    const onTerminal = (before: string) =>
      runCommand(["script", "-q", "-c", `${before} ${command}`, "/dev/null"], { check: false });
    expect((await onTerminal("env")).stdout).toContain("\x1b[31merror\x1b[0m");
    expect((await onTerminal("env NO_COLOR=1")).stdout).not.toContain("\x1b[");
    expect((await knockgate(["lint", file])).stdout).not.toContain("\x1b[");
  });
});

describe("knockgate proxy", () => {
  let config: string;
  beforeAll(async () => {
    config = join(lab.directory, "config");
    const program = `env XDG_CONFIG_HOME=${lab.directory} ${process.execPath} ${main}`;
    const { stdout } = await knockgate(["ssh-config", "--program", program], { check: true });
    writeFileSync(
      config,
      `${stdout}\nHost *\n  IdentityFile ${join(lab.directory, "key")}\n  IdentitiesOnly yes\n`,
    );
  });

  test.each(["edge", "edge6"])("lets ssh, scp and rsync through to %s", async (name) => {
    await expectClosed(22, name === "edge" ? host.ipv4 : host.ipv6);
    const ssh = ["ssh", "-F", config];
    expect((await runCommand([...ssh, name, "id -un"])).stdout).toBe("plain\n");
    const sent = join(lab.directory, "sent");
    writeFileSync(sent, Buffer.alloc(3_000_000, "knock"));
    await runCommand(["scp", "-q", "-F", config, sent, `${name}:sent`]);
    await runCommand(["scp", "-q", "-F", config, `${name}:sent`, `${sent}.back`]);
    expect(readFileSync(`${sent}.back`).equals(readFileSync(sent))).toBe(true);
    await runCommand(["rsync", "-e", ssh.join(" "), `${name}:sent`, `${sent}.synced`]);
    expect(readFileSync(`${sent}.synced`).equals(readFileSync(sent))).toBe(true);
  });

  /** As in a person's shell: the tools only know where ssh's configuration is. */
  function runTool(words: readonly string[], environment: readonly string[]) {
    return runCommand(["env", `HOME=${lab.directory}`, ...environment, ...words]);
  }

  test("lets git clone, push and fetch", async () => {
    await expectClosed(22);
    const git = (...words: string[]) =>
      runTool(
        ["git", "-c", "user.name=ops", "-c", "user.email=ops@example", ...words],
        [`GIT_SSH_COMMAND=ssh -F ${config}`, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null"],
      );
    await host.run(["su", "plain", "-c", "git init -q --bare -b main /home/plain/notes.git"]);
    await expectClosed(22);
    const copy = join(lab.directory, "notes");
    await git("clone", "-q", "edge:notes.git", copy);
    writeFileSync(join(copy, "note"), "behind the gate\n");
    await git("-C", copy, "add", "note");
    await git("-C", copy, "commit", "-q", "-m", "A note");
    await expectClosed(22);
    await git("-C", copy, "push", "-q", "origin", "HEAD:main");
    const { stdout: pushed } = await host.run([
      "su",
      "plain",
      "-c",
      "git -C /home/plain/notes.git show main:note",
    ]);
    expect(pushed).toBe("behind the gate\n");
    await expectClosed(22);
    await git("clone", "-q", "edge:notes.git", `${copy}-again`);
    expect(readFileSync(join(`${copy}-again`, "note"), "utf8")).toBe("behind the gate\n");
  });

  test("lets ansible run commands and modules, over both families at once", async () => {
    for (const address of [host.ipv4, host.ipv6]) await expectClosed(22, address);
    const ansible = (...words: string[]) =>
      runTool(
        ["ansible", "all", "-i", "edge,edge6", "--ssh-common-args", `-F ${config}`, ...words],
        [`ANSIBLE_HOME=${lab.directory}/ansible`, "ANSIBLE_NOCOLOR=1", "LC_ALL=C.UTF-8"],
      );
    const { stdout } = await ansible("-m", "raw", "-a", "id -un");
    expect(stdout.match(/^edge6? \| CHANGED \| rc=0 >>\nplain$/gm)).toHaveLength(2);
    await ansible("-m", "copy", "-a", "content=behind dest=/home/plain/{{ inventory_hostname }}");
    expect((await host.run(["cat", "/home/plain/edge", "/home/plain/edge6"])).stdout).toBe("behindbehind");
  });

  test("knocks again when a UDP step is lost", async () => {
    await expectClosed(22);
    // Drops the first datagram before the gate sees it, and no later one.
    await host.run(["nft", "-f", "-"], {
      stdin: `table inet lossy {
	set seen { type inet_service; flags dynamic; size 16; }
	chain input {
		type filter hook prerouting priority -400;
		udp dport 58002 udp dport != @seen add @seen { udp dport } drop
	}
}
`,
    });
    const { stdout } = await runCommand(["ssh", "-F", config, "edge", "id -un"]);
    expect(stdout).toBe("plain\n");
    const { stdout: lost } = await host.run(["nft", "list", "set", "inet", "lossy", "seen"]);
    expect(lost).toContain("58002");
    await host.run(["nft", "delete", "table", "inet", "lossy"]);
  });

  test("says that nothing came back, and nothing else on standard output", async () => {
    const { code, stdout, stderr } = await knockgate(["proxy", "edge", "2001", "--tries", "1"]);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toBe(
      "knockgate: edge: port 2001 refused the connection: nothing listens there [UNREACHABLE]\n",
    );
    await expectClosed(22);
    const wrong = await knockgate(["proxy", host.ipv4, "22", "-s", "tcp:47002", "--tries", "1", "--json"]);
    const message = `${host.ipv4}: port 22 was silent (knocks sent: 1)`;
    expect(JSON.parse(wrong.stderr)).toEqual({ error: { code: "UNREACHABLE", message } });
  });

  test("passes on the end of its input, and the output that comes after it", async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      let asked = "";
      socket.setEncoding("utf8").on("data", (text: string) => {
        asked += text;
      });
      socket.on("end", () => socket.end(`you said ${asked}`));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    await addProfile("local", "127.0.0.1");
    const { code, stdout } = await knockgate(["proxy", "local", `${port}`], { stdin: "hello" });
    expect([code, stdout]).toEqual([0, "you said hello"]);
    server.close();
    await knockgate(["profile", "remove", "local"]);
  });
});
