import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createInterface } from "node:readline";
import { Client } from "ssh2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { tryConnect } from "../../../lab/packets";

const patience = { timeout: 5_000 };

describe.each(["dash", "busybox"] as const)("a lab whose hosts have %s", (shell) => {
  let lab: Lab;
  let host1: LabHost;
  let host2: LabHost;
  beforeAll(async () => {
    lab = await openLab({ hosts: 2, clients: 2, shell, sshPort: 22 });
    [host1, host2] = twoOf(lab.hosts);
  });
  afterAll(() => lab?.close());

  test.each([
    ["root", "0 0"],
    ["ops", "60101 0"],
    ["plain", "60102 refused"],
  ])("lets %s in over IPv4 and IPv6", async (user, ids) => {
    const command = "echo $(id -u) $(sudo -n id -u 2>/dev/null || echo refused)";
    expect(await logIn(lab, host1, host1.ipv4, user, command)).toBe(`${ids}\n`);
    expect(await logIn(lab, host2, host2.ipv6, user, command)).toBe(`${ids}\n`);
  });

  test("has the shell that was asked for, also in a login", async () => {
    const itself = "readlink /proc/$$/exe; true";
    const { stdout } = await host1.run(["sh", "-c", itself]);
    expect(stdout).toBe((await host1.run(["readlink", "-f", "/bin/sh"])).stdout);
    const { stderr } = await host1.run(["sh", "--help"], { check: false });
    expect(stderr.includes("BusyBox")).toBe(shell === "busybox");
    expect(await logIn(lab, host1, host1.ipv4, "plain", itself)).toBe(stdout);
  });

  test("gives each host its own name, key and files", async () => {
    expect(host1.hostKey).toMatch(/^ssh-ed25519 [A-Za-z0-9+/=]+$/);
    expect(host1.hostKey).not.toBe(host2.hostKey);
    const places = ["/etc", "/etc/ssh", "/var/lib", "/run", "/tmp", "/root", "/home/ops"];
    await host1.run([
      "sh",
      "-c",
      places.map((place) => `echo here >${place}/knockgate-lab-test`).join(" && "),
    ]);
    for (const place of places) {
      const file = `${place}/knockgate-lab-test`;
      expect((await host2.run(["test", "-e", file], { check: false })).code).toBe(1);
      expect(existsSync(file)).toBe(false);
    }
    expect((await host2.run(["hostname"])).stdout).toBe("host2\n");
    expect((await host2.run(["ls", "/var/lib", "/run/systemd"], { check: false })).stdout).toBe(
      "/var/lib:\n",
    );
  });

  test("keeps the machine's own files from being written", async () => {
    const { code, stderr } = await host1.run(["touch", "/usr/sbin/knockgate-lab-test"], { check: false });
    expect([code, stderr]).toEqual([1, expect.stringContaining("Read-only file system")]);
  });

  test("reaps orphans, so that a process that ended is gone", async () => {
    const { stdout } = await host1.run(["sh", "-c", "(sleep 0.05 >/dev/null & echo $!)"]);
    await expect
      .poll(async () => (await host1.run(["kill", "-0", stdout.trim()], { check: false })).code, patience)
      .toBe(1);
  });

  test("tells what sshd logged and what the kernel filters", async () => {
    await host1.run(["nft", "add", "table", "inet", "foreign"]);
    expect(await host1.ruleset()).toBe("table inet foreign {\n}\n");
    expect(await host2.ruleset()).toBe("");
    await logIn(lab, host1, host1.ipv4, "plain", "true");
    await expect.poll(host1.sshdLog, patience).toContain("Accepted publickey for plain from");
  });

  test("runs commands with input, their exit code and a limit", async () => {
    expect(await host1.run(["cat"], { stdin: "x\ny" })).toEqual({ stdout: "x\ny", stderr: "", code: 0 });
    expect((await host1.run(["sh", "-c", "exit 7"], { check: false })).code).toBe(7);
    await expect(host1.run(["sh", "-c", "echo no >&2; exit 7"])).rejects.toThrow(/ended with code 7: no$/);
    await expect(host1.run(["sleep", "77"], { timeoutMs: 100 })).rejects.toThrow("within 100 ms");
    await expect
      .poll(async () => (await host1.run(["pidof", "sleep"], { check: false })).stdout, patience)
      .toBe("");
  });

  test("shows each client, and the outside, under an address of its own", async () => {
    const [client1, client2] = twoOf(lab.clients);
    const sources = [client1, client2, lab.outside];
    expect(new Set(sources.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6])).size).toBe(6);
    for (const address of [host1.ipv4, host1.ipv6]) {
      expect(await tryConnect(client1, address, 22, 2_000)).toBe("open");
      expect(await tryConnect(client2, address, 22, 2_000)).toBe("open");
      expect(await tryConnect(client1, address, 23, 2_000)).toBe("refused");
    }
    for (const { ipv4, ipv6 } of sources.slice(0, 2)) {
      await expect.poll(host1.sshdLog, patience).toContain(`from ${ipv4} port`);
      await expect.poll(host1.sshdLog, patience).toContain(`from ${ipv6} port`);
    }
  });

  test("swallows packets to one host and port, until restored", async () => {
    const attempts = () =>
      Promise.all([
        tryConnect("outside", host1.ipv4, 22, 500),
        tryConnect("outside", host1.ipv6, 22, 500),
        tryConnect("outside", host1.ipv4, 23, 500),
        tryConnect("outside", host2.ipv4, 22, 500),
      ]);
    const ssh = await lab.swallow({ to: host1, protocol: "tcp", port: 22 });
    expect(await attempts()).toEqual(["silent", "silent", "refused", "open"]);
    const all = await lab.swallow({ to: host1, protocol: "any" });
    await ssh.restore();
    expect(await attempts()).toEqual(["silent", "silent", "silent", "open"]);
    await all.restore();
    await all.restore();
    expect(await attempts()).toEqual(["open", "open", "refused", "open"]);
  });
});

describe("the end of a lab", () => {
  test("leaves no process, link or folder, even with a background process on a host", async () => {
    const [first, second] = await Promise.all([openLab({ hosts: 1 }), openLab({ hosts: 1, clients: 1 })]);
    expect(first.outside.ipv4).not.toBe(second.outside.ipv4);
    const machines = [first, second].flatMap((lab) => [...lab.hosts, ...lab.clients]);
    for (const machine of machines) {
      await machine.run(["sh", "-c", "setsid sleep 600 </dev/null >/dev/null 2>&1 &"]);
      expect(await tryConnect(machine, machine.ipv4, 1, 1_000)).toBe("refused");
    }
    const networks = machines.map(({ pid }) => readlinkSync(`/proc/${pid}/ns/net`));
    expect(countProcessesIn(networks)).toBeGreaterThan(machines.length);
    const startedAt = performance.now();
    await Promise.all([first.close(), second.close(), first.close()]);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(countProcessesIn(networks)).toBe(0);
    expect(linkNames()).not.toContain(linkOf(first.outside.ipv4));
    expect(linkNames()).not.toContain(linkOf(second.outside.ipv4));
    expect([first.directory, second.directory].filter(existsSync)).toEqual([]);
  });

  test.each(["SIGKILL", "SIGTERM", "SIGINT"] as const)(
    "comes with %s to the process that opened it",
    async (signal) => {
      const { owner, networks, directory, link } = await startOwner();
      expect(countProcessesIn(networks)).toBeGreaterThan(networks.length);
      expect(linkNames()).toContain(link);
      owner.kill(signal);
      await once(owner, "exit");
      await expect.poll(() => countProcessesIn(networks), patience).toBe(0);
      await expect.poll(() => existsSync(directory), patience).toBe(false);
      await expect.poll(linkNames, patience).not.toContain(link);
    },
  );
});

function logIn(lab: Lab, host: LabHost, address: string, username: string, command: string): Promise<string> {
  const client = new Client();
  return new Promise<string>((resolve, reject) => {
    client.on("connect", () => client.setNoDelay(true)); // Nagle's algorithm costs 40 ms for each step
    client.on("error", reject).on("ready", () => {
      client.exec(command, (error, channel) => {
        if (error) return reject(error);
        let output = "";
        channel.on("data", (bytes: Buffer) => {
          output += bytes.toString();
        });
        channel.on("close", () => resolve(output));
        channel.stderr.resume();
      });
    });
    const hostVerifier = (key: Buffer) => `ssh-ed25519 ${key.toString("base64")}` === host.hostKey;
    client.connect({ host: address, port: host.sshPort, username, privateKey: lab.privateKey, hostVerifier });
  }).finally(() => client.end());
}

interface Owner {
  readonly owner: ChildProcess;
  readonly networks: string[];
  readonly directory: string;
  readonly link: string;
}

async function startOwner(): Promise<Owner> {
  const argv = ["--import", "tsx", require.resolve("../../../lab/lab-owner.ts")];
  const owner = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: owner.stdout }), "line");
  const { networks, directory, outside } = JSON.parse(line);
  return { owner, networks, directory, link: linkOf(outside.ipv4) };
}

/** The outside's link to a lab, and its addresses, contain the lab's number. */
function linkOf(ipv4: string): string {
  return `kg${ipv4.split(".")[1]}`;
}

function linkNames(): string[] {
  const lines = readFileSync("/proc/self/net/dev", "utf8").split("\n").slice(2);
  return lines.map((line) => line.trim().split(":")[0] ?? "");
}

function countProcessesIn(networks: readonly string[]): number {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && networks.includes(readlinkSync(`/proc/${pid}/ns/net`));
    } catch {
      return false; // ended meanwhile
    }
  }).length;
}

function twoOf<T>([first, second]: readonly T[]): [T, T] {
  if (first === undefined || second === undefined) throw new Error("expected two");
  return [first, second];
}
