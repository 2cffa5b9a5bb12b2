import { expect } from "vitest";
import type { BootedHost } from "../../../lab/booted-host";
import type { Lab } from "../../../lab/lab";
import type { Policy } from "../../../src/policy/policy";
import { watchClosed } from "../host/connect-loop";
import { deployTo, waitUntil } from "../host/deployment";
import { isLetIn } from "../host/inspection";
import { listDrift } from "../host/look";
import { leavePending } from "../host/pending";
import { dropIn, watchSsh } from "../systemd/booted";
import { beginLife, type Life, liveThroughGate, newSteps, oldSteps } from "./life";
import type { Act } from "./release-rows";
import type { HostResult } from "./row";

type Seen = Omit<HostResult, "versions">;

interface BootedLife extends Life {
  readonly host: BootedHost;
}

/**
 * Plays a gate's whole life on a host that boots. Each act begins with what the one before it left. The lab needs three
 * clients; the third one never knocks.
 *
 * @param passed is called after each act that passed
 */
export async function playBootedLife(
  lab: Lab,
  host: BootedHost,
  backend: Policy["backend"],
  passed: (act: Act, result: HostResult) => void,
): Promise<void> {
  const life: BootedLife = { ...beginLife(lab, host, backend), host };
  const versions = await describeVersions(host, backend);
  const before = await lookEverywhere(life);
  const pass = (act: Act, seen: Seen) => passed(act, { versions, ...seen });
  await liveThroughGate(life);
  pass("life", {
    result:
      "closed without the knock, open with it; doors stayed open over both updates; the failing one was undone; drift was said and repaired",
  });
  pass("armed", await cutPowerWhileArmed(life));
  pass("reboot", await rebootConfirmed(life));
  pass("restart", await restartNftables(life));
  await life.remove(life.policies.old);
  expect(await lookEverywhere(life)).toEqual(before);
  expect(await isLetIn(life.friend, host)).toBe(true);
  pass("removal", { result: "no file, unit, rule or process of the gate is left" });
}

/** Asks a host for the versions that matter to a gate. */
export async function describeVersions(host: BootedHost, backend: Policy["backend"]): Promise<string> {
  const ask = async (...argv: string[]) => (await host.run(argv)).stdout.trim();
  const tool =
    backend === "nftables"
      ? (await ask("nft", "--version")).replace(/^nftables v(\S+).*/, "nft $1")
      : (await ask("iptables", "--version")).replace(" v", " ");
  const [, systemd = "?"] = /^systemd (\d+)/.exec(await ask("systemctl", "--version")) ?? [];
  return `${tool}, systemd ${systemd}, kernel ${(await ask("uname", "-r")).replace(/-.*/, "")}`;
}

/** The host ends with the policy `changed`, which was confirmed before. */
async function cutPowerWhileArmed(life: BootedLife): Promise<Seen> {
  const { lab, host, friend } = life;
  const { old, changed } = life.policies;
  const loaded = await life.listOwn();
  await leavePending(old, changed, 600, await deployTo(lab, host));
  expect(await life.listOwn()).not.toBe(loaded);
  await host.reboot({ how: "power" });
  expect(await isLetIn(friend, host)).toBe(false);
  expect(await isLetIn(friend, host, oldSteps)).toBe(false);
  expect(await isLetIn(friend, host, newSteps)).toBe(true);
  expect(await listDrift(lab, host, changed)).toEqual([
    expect.stringMatching(/^undone: .*the host was rebooted before it was confirmed/),
  ]);
  return { result: "the ruleset before the change is loaded, and the next deployer is told why" };
}

/** The host ends with the policy `old`. */
async function rebootConfirmed(life: BootedLife): Promise<Seen> {
  const { lab, host, friend } = life;
  const { old, changed } = life.policies;
  const watcher = findWatcher(lab);
  // Over both families. Within these two seconds a network that does not wait for the gate would be seen.
  await dropIn(host, "knockgate-edge.service", "[Service]\nExecStartPre=/bin/sleep 2\n");
  await life.change(old, changed);
  const watch = watchSsh(watcher, host);
  const isOpen = await host
    .reboot({ how: "clean" })
    .then(() => isLetIn(friend, host))
    .finally(() => watch.stop());
  const { silent = 0, unreachable: _, ...answers } = await watch.stop();
  expect(isOpen).toBe(false);
  expect(answers).toEqual({});
  expect(silent).toBeGreaterThan(20);
  expect(await isLetIn(friend, host, oldSteps)).toBe(true);
  expect(await listDrift(lab, host, old)).toEqual([]);
  await host.run(["rm", "-r", "/etc/systemd/system/knockgate-edge.service.d"]);
  await host.run(["systemctl", "daemon-reload"]);
  return { result: "the gate is there before anything answers, and opens only for the new knock" };
}

async function restartNftables(life: BootedLife): Promise<Seen> {
  const { host, friend, stranger } = life;
  const loaded = await life.listOwn();
  const waitForGate = async () => {
    await waitUntil("the gate", 30_000, async () => (await life.listOwn()) === loaded);
    // The service that follows the restart may still be at work.
    await host.run(["systemctl", "start", "knockgate-edge.service", "knockgate-edge.follow.service"]);
  };
  await host.run(["systemctl", "start", "nftables.service"]);
  await waitForGate();
  const seen = await watchClosed(findWatcher(life.lab), host, async () => {
    await host.run(["systemctl", "restart", "nftables.service"]);
    await waitForGate();
  });
  expect(seen.begun).toBeGreaterThan(100);
  expect(await isLetIn(stranger, host)).toBe(false);
  expect(await isLetIn(friend, host, oldSteps)).toBe(true);
  expect(await listDrift(life.lab, host, life.policies.old)).toEqual([]);
  await host.run(["systemctl", "stop", "nftables.service"]);
  await host.run(["systemctl", "start", "knockgate-edge.service"]);
  return { result: "the gate is back", openMs: seen.openMs };
}

function findWatcher(lab: Lab) {
  const watcher = lab.clients[2];
  if (watcher === undefined) throw new Error("the lab needs three clients");
  return watcher;
}

/** What a removed gate could leave behind. */
async function lookEverywhere(life: BootedLife) {
  const { host } = life;
  const list = async (program: string) => (await host.run(["sh", "-c", program])).stdout;
  return {
    rules: await life.listAll(),
    files: await list(
      "find / -xdev -name '*knockgate*' -o -xdev -name 'kg_*' | sort; find /run -name '*knockgate*'",
    ),
    configuration: await list("find /etc -type f ! -name .updated -exec sha256sum {} + | sort -k 2"),
    units: await list("systemctl list-units --all --plain --no-legend 'knockgate*'"),
    processes: await list("ps -eo args | grep '[k]nockgate' || true"),
    lists: await list("ls /proc/net/xt_recent 2>/dev/null || true"),
  };
}
