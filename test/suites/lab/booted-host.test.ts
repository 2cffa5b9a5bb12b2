import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BootedHost } from "../../../lab/booted-host";
import { type CommandResult, runCommand } from "../../../lab/command";
import { type Lab, openLab } from "../../../lab/lab";
import { tryConnect } from "../../../lab/packets";

let lab: Lab;
let host: BootedHost;

beforeAll(async () => {
  lab = await openLab({ hosts: 1, bootedHosts: 2 });
  const [first] = lab.bootedHosts;
  if (first === undefined) throw new Error("no booted host");
  host = first;
});
afterAll(() => lab?.close());

function logIn(command: string): Promise<CommandResult> {
  const file = join(lab.directory, "id_ed25519");
  const trust = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"];
  return runCommand(["ssh", "-i", file, ...trust, `root@${host.ipv4}`, command]);
}

const bootId = async () => (await host.run(["cat", "/proc/sys/kernel/random/boot_id"])).stdout;

test("a booted host runs systemd, answers over IPv4 and IPv6, and has a name and key of its own", async () => {
  expect((await host.run(["cat", "/proc/1/comm"])).stdout).toBe("systemd\n");
  expect(await tryConnect("outside", host.ipv4, 22, 2_000)).toBe("open");
  expect(await tryConnect("outside", host.ipv6, 22, 2_000)).toBe("open");
  expect((await host.run(["hostname"])).stdout).toBe("booted1\n");
  expect(new Set(lab.bootedHosts.map(({ hostKey }) => hostKey)).size).toBe(2);
  expect((await host.run(["systemctl", "--failed", "--quiet"])).stdout).toBe("");
});

test("a login to a booted host is a session of logind, in a control group of its own", async () => {
  const { stdout } = await logIn("cat /proc/self/cgroup");
  expect(stdout).toMatch(/^0::\/user\.slice\/user-0\.slice\/session-\w+\.scope$/m);
  expect(host.sshdLog()).toContain("Accepted publickey for root");
});

test("packets to a booted host are swallowed until restored", async () => {
  const swallowing = await lab.swallow({ to: host, protocol: "tcp", port: 22 });
  expect(await tryConnect("outside", host.ipv4, 22, 500)).toBe("silent");
  await swallowing.restore();
  expect(await tryConnect("outside", host.ipv4, 22, 2_000)).toBe("open");
});

test.each(["clean", "power"] as const)("a %s reboot keeps the disk and nothing else", async (how) => {
  const before = [await bootId(), host.pid];
  await host.run(["sh", "-c", "nft add table inet foreign; echo kept >/etc/kept; echo gone >/run/gone"]);
  await host.reboot({ how });
  expect(await host.ruleset()).toBe("");
  expect((await host.run(["cat", "/etc/kept", "/run/gone"], { check: false })).stdout).toBe("kept\n");
  expect(before).not.toContain(await bootId());
  expect(before).not.toContain(host.pid);
  expect(await tryConnect("outside", host.ipv4, 22, 2_000)).toBe("open");
  expect(await tryConnect("outside", host.ipv6, 22, 2_000)).toBe("open");
});
