import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { runCommand } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { tryConnect } from "../../../lab/packets";
import { changeHost } from "../../../src/change/change";
import type { ConnectionInput } from "../../../src/ssh/connection";
import type { RootfsKind } from "../../../tools/setup/rootfs-place.mjs";
import { type Agent, startAgent } from "./agents";
import { type Authority, makeAuthority } from "./authority";
import { claimHost, connectionTo, openDeployment } from "./deployment";
import { installSsh, type TestSsh } from "./openssh-client";
import { makePolicy } from "./policies";
import { reconfigureSshd } from "./sshd";
import { addUser } from "./users";

const securityKey = "/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so";

const before = new Set(readdirSync(tmpdir()));
/** Folders that connections of this test run have. */
const listFolders = () =>
  readdirSync(tmpdir()).filter((name) => name.startsWith("knockgate-ssh-") && !before.has(name));

/**
 * Plays all that a connection by ssh(1) promises. One after the other: the tests change this process's environment.
 *
 * @param suite the Debian whose ssh dials. Default: this machine's.
 */
export function playOpenssh(suite?: RootfsKind): void {
  let lab: Lab;
  let ssh: TestSsh;
  let authority: Authority;
  const agents: Agent[] = [];
  const environmentBefore = { ...process.env };
  beforeAll(async () => {
    lab = await openLab({ hosts: 21 });
    authority = await makeAuthority(lab.directory);
  });
  beforeEach(() => {
    delete process.env["SSH_AUTH_SOCK"];
    process.env["XDG_RUNTIME_DIR"] = "";
    ssh = installSsh(lab.directory, suite);
  });
  afterEach(async () => {
    ssh.close();
    for (const name of ["SSH_AUTH_SOCK", "XDG_RUNTIME_DIR", "SSH_SK_PROVIDER"]) {
      if (environmentBefore[name] === undefined) delete process.env[name];
      else process.env[name] = environmentBefore[name];
    }
    await Promise.all(agents.splice(0).map((agent) => agent.close()));
    await expect.poll(listFolders, { timeout: 10_000 }).toEqual([]);
  });
  afterAll(() => lab?.close());

  async function logIn(input: Partial<ConnectionInput> & { readonly host: string }): Promise<string> {
    const patience = { dialErrorLimit: 0, perDialTimeout: 10 };
    const deployment = await openDeployment({ transport: "openssh", ...patience, ...input });
    try {
      const opened = await deployment.routes[0]?.connect(10_000);
      const result = await opened?.run({ commands: 'echo "$(id -un) $1"\n' }, 10_000);
      opened?.close();
      return result?.stdout.trim() ?? "";
    } finally {
      deployment.close();
    }
  }

  const failToLogIn = (input: Partial<ConnectionInput> & { readonly host: string }): Promise<Error> =>
    logIn(input).then(
      (said) => new Error(`it was let in: ${said}`),
      (error) => error,
    );

  async function useAgent(...files: readonly string[]): Promise<void> {
    const agent = await startAgent(lab.directory);
    agents.push(agent);
    for (const file of files) await agent.add(file);
    process.env["SSH_AUTH_SOCK"] = agent.socket;
  }

  async function trust(line: string): Promise<void> {
    await writeFile(ssh.knownHosts, `${line}\n`);
  }

  const block = (name: string, host: LabHost, more: readonly string[] = []) =>
    [`Host ${name}`, `  HostName ${host.ipv4}`, "  User root", ...more.map((line) => `  ${line}`)].join("\n");

  test("logs in by the key and the host key that it is given", async () => {
    const host = claimHost(lab);
    expect(await logIn(connectionTo(lab, host, { transport: "openssh" }))).toMatch(/^root /);
  });

  test("needs nothing but an alias where hosts and users have certificates", async () => {
    const host = claimHost(lab);
    await authority.adopt(host);
    ssh.configure(block("edge", host));
    await useAgent(await authority.certify(["root"]));
    expect(await failToLogIn({ host: "edge" })).toMatchObject({ code: "HOST_KEY_UNKNOWN" });
    await trust(authority.knownHostsLine);
    expect(await logIn({ host: "edge" })).toMatch(/^root /);
    const { hostKey } = claimHost(lab);
    expect(await failToLogIn({ host: "edge", hostKey })).toMatchObject({ code: "HOST_KEY_MISMATCH" });
    expect(await logIn({ host: "edge", hostKey: host.hostKey })).toMatch(/^root /);
  });

  test.each([
    ["has ended", ["-2h:-1h"], "expired"],
    ["is for another name", ["-5m:+1h", "elsewhere"], "not a listed principal"],
  ] as const)("refuses a host whose certificate %s", async (_what, [validity, name], words) => {
    const host = claimHost(lab);
    await authority.adopt(host, name === undefined ? undefined : [name], validity);
    ssh.configure(block("edge", host));
    await trust(authority.knownHostsLine);
    await useAgent(await authority.certify(["root"]));
    const failure = await failToLogIn({ host: "edge" });
    expect(failure).toMatchObject({ code: "HOST_KEY_MISMATCH", message: expect.stringContaining(words) });
    expect(host.sshdLog()).not.toContain("Accepted");
  });

  test("goes through two jump hosts, and the knock leaves from the last one", async () => {
    const [first, last, host] = [claimHost(lab), claimHost(lab), claimHost(lab)];
    for (const one of [first, last, host]) await authority.adopt(one);
    ssh.configure(
      [block("first", first), block("last", last), block("edge", host, ["ProxyJump first,last"])].join("\n"),
    );
    await trust(authority.knownHostsLine);
    await useAgent(await authority.certify(["root"]));
    expect(await logIn({ host: "edge" })).toMatch(new RegExp(`^root ${last.ipv4} `));
    const policy = makePolicy();
    const deployment = await openDeployment({ host: "edge", transport: "openssh", dialErrorLimit: 0 });
    await changeHost({ policy, owner: "me", undoAfterSeconds: 60 }, deployment);
    deployment.close();
    expect(deployment.lines.join("\n")).toMatch(/open: gate ssh lets a fresh SSH connection through/);
    // The door is open for the machine that the knock left from.
    expect(await host.ruleset()).toContain(last.ipv4);
  });

  test("is all that the command line needs to apply a policy, and to open a gated jump host", async () => {
    const [jump, host] = [claimHost(lab), claimHost(lab)];
    for (const one of [jump, host]) await authority.adopt(one);
    ssh.configure([block("jump", jump), block("edge", host, ["ProxyJump jump"])].join("\n"));
    await trust(authority.knownHostsLine);
    await useAgent(await authority.certify(["root"]));
    const write = async (name: string, steps: readonly object[]): Promise<string> => {
      const gate = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps }, openForSeconds: 2 };
      const file = join(ssh.folder, `${name}.json`);
      await writeFile(file, JSON.stringify({ name, gates: [gate], acceptRisks: ["window-too-short"] }));
      return file;
    };
    const environment = ["PATH", "SSH_AUTH_SOCK"].map((name) => `${name}=${process.env[name]}`);
    const knockgate = (...words: readonly string[]) =>
      runCommand(
        [
          ...["env", `XDG_CONFIG_HOME=${ssh.folder}`, ...environment],
          ...[process.execPath, "dist/cli/main.js", ...words],
        ],
        { check: false },
      );
    const outer = await write("outer", [{ tcp: 7_411 }, { udp: 8_522 }, { tcp: 6_633 }]);
    const inner = await write("inner", [{ udp: 7_511 }, { tcp: 6_433 }, { udp: 8_722 }]);
    const first = await knockgate("apply", outer, "jump", "--openssh", "--profile", "jump");
    expect([first.code, first.stderr + first.stdout]).toEqual([
      0,
      expect.stringContaining("outer on jump:22: the host has confirmed"),
    ]);
    // The jump host is closed again, and opens for the knock of its profile alone.
    await expect.poll(() => tryConnect("outside", jump.ipv4, 22, 400), { timeout: 10_000 }).toBe("silent");
    const second = await knockgate("apply", inner, "edge", "--openssh", "--profile", "edge");
    expect([second.code, second.stderr]).toEqual([0, expect.stringContaining("6/6 confirm")]);
    const status = await knockgate("status", inner, "edge", "--openssh");
    expect([status.code, status.stdout]).toEqual([
      0,
      expect.stringContaining("the host has what the policy says"),
    ]);
    expect(await host.ruleset()).toContain("table inet knockgate_inner");
  });

  test("names the jump host that fails", async () => {
    const [jump, host] = [claimHost(lab), claimHost(lab)];
    await authority.adopt(host);
    ssh.configure([block("jump", jump), block("edge", host, ["ProxyJump jump"])].join("\n"));
    await trust(authority.knownHostsLine);
    await appendFile(ssh.knownHosts, (await runCommand(["ssh-keyscan", jump.ipv4])).stdout);
    await useAgent(await authority.certify(["root"]));
    const failure = await failToLogIn({ host: "edge" });
    expect(failure).toMatchObject({ code: "LOGIN_REFUSED" });
    expect(failure.message).toMatch(/^bastion root@jump:22: /);
  });

  test("is refused from the moment that the user's certificate ends", async () => {
    const host = claimHost(lab);
    await authority.adopt(host);
    ssh.configure(block("edge", host));
    await trust(authority.knownHostsLine);
    await useAgent(await authority.certify(["root"], "-5m:+8s"));
    expect(await logIn({ host: "edge" })).toMatch(/^root /);
    await expect
      .poll(() => failToLogIn({ host: "edge" }), { timeout: 30_000, interval: 1_000 })
      .toMatchObject({ code: "LOGIN_REFUSED" });
  });

  test("is not disturbed by settings that are meant for a terminal", async () => {
    const host = claimHost(lab);
    const touched = join(ssh.folder, "touched");
    const recent = ["ForkAfterAuthentication yes", "StdinNull yes", "SessionType none"];
    ssh.configure(
      block("edge", host, [
        `ControlPath ${join(ssh.folder, "shared")}`,
        "ControlMaster auto",
        "ControlPersist 60",
        "RemoteCommand echo theirs",
        "RequestTTY force",
        `LocalCommand touch ${touched}`,
        "PermitLocalCommand yes",
        `LocalForward ${join(ssh.folder, "forwarded")} 127.0.0.1:22`,
        "RemoteForward 2299 127.0.0.1:9",
        "LogLevel DEBUG1",
        "EscapeChar ~",
        ...(suite === "bullseye" ? [] : recent),
      ]),
    );
    await trust(`${host.ipv4} ${host.hostKey}`);
    expect(await logIn({ host: "edge", privateKey: lab.privateKey })).toMatch(/^root /);
    expect(readdirSync(ssh.folder).sort()).toEqual(["bin", "config", "known_hosts"]);
  });

  test("gives a password to the host alone, and never in an argument", async () => {
    const [jump, host] = [claimHost(lab), claimHost(lab)];
    const password = "very-private-words";
    await addUser(host, "keeper", { password, sudoers: "keeper ALL=(ALL) NOPASSWD: ALL" });
    await reconfigureSshd(host, ["PasswordAuthentication yes"]);
    await reconfigureSshd(jump, ["PasswordAuthentication yes", "LogLevel VERBOSE"]);
    await trust(`${host.ipv4} ${host.hostKey}\n${jump.ipv4} ${jump.hostKey}`);
    const sampler = spawn("sh", ["-c", "while :; do cat /proc/[0-9]*/cmdline 2>/dev/null; done"]);
    let sample = "";
    sampler.stdout.setEncoding("latin1").on("data", (text: string) => {
      sample += text;
    });
    ssh.configure(block("edge", host));
    expect(await logIn({ host: "edge", user: "keeper", password })).toMatch(/^root /);
    const wrong = await failToLogIn({ host: "edge", user: "keeper", password: "wrong-words" });
    expect(wrong).toMatchObject({ code: "LOGIN_REFUSED" });
    expect(`${wrong.stack}`).not.toContain("wrong-words");
    // The same user has the same password there: it would let the ssh of the ProxyCommand in.
    await addUser(jump, "keeper", { password });
    const proxy = `ssh -l keeper -W %h:%p ${jump.ipv4}`;
    ssh.configure(block("edge", host, [`ProxyCommand ${proxy}`]));
    const refused = await failToLogIn({ host: "edge", user: "keeper", password });
    expect(refused.message).toContain("Permission denied");
    expect(jump.sshdLog()).not.toContain("Accepted");
    sampler.kill("SIGKILL");
    expect(sample).toContain("ControlPath=");
    expect(sample).not.toMatch(/very-private-words|wrong-words/);
    await expect.poll(() => host.sshdLog().match(/Failed password/g)?.length, { timeout: 10_000 }).toBe(1);
  });

  test("waits for room where sshd allows one session at a time", async () => {
    const host = claimHost(lab);
    await reconfigureSshd(host, ["MaxSessions 1"]);
    const deployment = await openDeployment(connectionTo(lab, host, { transport: "openssh" }));
    const opened = await deployment.routes[0]?.connect(10_000);
    try {
      // The first session ends with its shell, and sshd counts it for some moments longer.
      const first = await opened?.run({ commands: "echo first; kill -9 $$\n" }, 10_000);
      const second = await opened?.run({ commands: "echo second\n" }, 10_000);
      expect([first?.stdout, second?.stdout]).toEqual(["first\n", "second\n"]);
    } finally {
      opened?.close();
    }
  });

  test("leaves no key and no ssh behind when the program is killed", async () => {
    const silent = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const child = startLogin({
      host: "127.0.0.1",
      port,
      hostKey: lab.hosts[0]?.hostKey,
      privateKey: lab.privateKey,
    });
    const folder = join(tmpdir(), await waitForFolder());
    await expect.poll(() => existsSync(join(folder, "pid")), { timeout: 20_000 }).toBe(true);
    expect(readFileSync(join(folder, "key"), "utf8").trim()).toBe(lab.privateKey.trim());
    expect([statSync(folder).mode & 0o777, statSync(join(folder, "key")).mode & 0o777]).toEqual([
      0o700, 0o600,
    ]);
    const pid = readFileSync(join(folder, "pid"), "utf8").trim();
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    await expect.poll(() => existsSync(folder), { timeout: 10_000 }).toBe(false);
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 10_000 }).toBe(false);
    silent.close();
  });

  test("takes a security key that a program stands for, and says where a touch is needed", async () => {
    const host = claimHost(lab);
    process.env["SSH_SK_PROVIDER"] = securityKey;
    const file = join(lab.directory, `sk-${suite}`);
    await runCommand(["ssh-keygen", "-q", "-t", "ed25519-sk", "-w", securityKey, "-N", "", "-f", file]);
    await host.run(["sh", "-c", "cat >>/etc/ssh/authorized_keys"], {
      stdin: await readFile(`${file}.pub`, "utf8"),
    });
    await trust(`${host.ipv4} ${host.hostKey}`);
    ssh.configure(
      block("edge", host, [
        `IdentityFile ${file}`,
        "IdentitiesOnly yes",
        `SecurityKeyProvider ${securityKey}`,
      ]),
    );
    expect(await logIn({ host: "edge" })).toMatch(/^root /);
  });

  test("ends as ssh2's does when nobody answers, and when nothing leads there", async () => {
    const silent = createServer(() => undefined).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const hostKey = lab.hosts[0]?.hostKey ?? "";
    const late = await failToLogIn({ host: "127.0.0.1", port, hostKey, perDialTimeout: 1 });
    expect(late).toMatchObject({ code: "UNREACHABLE" });
    silent.close();
    expect(await failToLogIn({ host: "127.0.0.1", port, hostKey })).toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringContaining("Connection refused"),
    });
    ssh.configure("Host edge\n  Nonsense yes");
    expect(await failToLogIn({ host: "edge" })).toMatchObject({
      code: "ARGUMENTS_INVALID",
      message: expect.stringMatching(/nonsense.*Nothing was sent/i),
    });
  });

  /** Logs in in a process of its own. */
  function startLogin(input: object): ChildProcess {
    const program = `
      const { resolveConnection } = require("./dist/ssh/resolve.js");
      const { connectionSchema } = require("./dist/ssh/connection.js");
      const { findRoutes } = require("./dist/ssh/routes.js");
      const input = JSON.parse(process.env.KNOCKGATE_TEST_LOGIN);
      resolveConnection(connectionSchema.parse(input), "connection")
        .then((connection) => findRoutes(connection, []))
        .then(({ routes }) => routes[0].connect(60_000));
    `;
    const env = { ...process.env, KNOCKGATE_TEST_LOGIN: JSON.stringify({ transport: "openssh", ...input }) };
    return spawn(process.execPath, ["-e", program], { env, stdio: "ignore" });
  }

  async function waitForFolder(): Promise<string> {
    await expect.poll(listFolders, { timeout: 20_000 }).toHaveLength(1);
    return listFolders()[0] ?? "";
  }
}
