import { describe, expect, vi } from "vitest";
import type { BootedHost } from "../../../lab/booted-host";
import { changeHost } from "../../../src/change/change";
import { deployTo, waitUntil } from "../host/deployment";
import { confirmedFiles, findTimers, isLetIn, listGate } from "../host/inspection";
import { leavePending } from "../host/pending";
import { newPolicy, newSteps, oldPolicy, oldSteps } from "../host/policies";
import { interfere } from "../host/routes";
import { gateBooted, isDeep, test } from "./booted";
import { listLibrary } from "./listing";

const update = { policy: newPolicy, formerPolicies: [oldPolicy], owner: "me", undoAfterSeconds: 60 };
const undoTimer = "knockgate-edge-undo.timer";
const timerLimitMs = 40_000;
const undoneFiles = [...confirmedFiles, "f 0600 /var/lib/knockgate/edge/undone"].sort();

// All these tests wait for their hosts' timers, and hardly use this machine meanwhile.
vi.setConfig({ maxConcurrency: 6 });

/** Kills all processes in a login's control group, its sshd included. */
const killSessions = "echo 1 >/sys/fs/cgroup/user.slice/cgroup.kill";

/** Checks for the old ruleset byte for byte, its knock, nothing pending, and no timer. */
async function expectUndone(host: BootedHost, old: string): Promise<void> {
  await waitUntil("the old ruleset", timerLimitMs, async () => (await listGate(host)) === old);
  await waitUntil("the timer's end", 10_000, async () => {
    const timers = await host.run(["systemctl", "list-units", "--all", "--plain", "knockgate-edge-undo*"]);
    return (await findTimers(host)).length === 0 && timers.stdout.includes("0 loaded units");
  });
  expect(await isLetIn("outside", host, oldSteps)).toBe(true);
  expect(await listLibrary(host)).toEqual(undoneFiles);
  const { stdout } = await host.run(["cat", "/var/lib/knockgate/edge/undone"]);
  expect(stdout).toContain("why=not confirmed in time");
}

describe.concurrent("the timer of systemd", () => {
  test.for(
    isDeep
      ? ["systemctl restart ssh", "systemctl daemon-reload", "systemctl daemon-reexec", killSessions]
      : ["systemctl restart ssh && systemctl daemon-reload"],
  )("undoes an unconfirmed change, after: %s", async (command, { lab }) => {
    const [host, old] = await gateBooted(lab);
    await leavePending(newPolicy, oldPolicy, 12, await deployTo(lab, host));
    await host.run(["sh", "-c", command]);
    expect(await listGate(host)).not.toBe(old);
    expect((await host.run(["systemctl", "is-active", undoTimer])).stdout).toBe("active\n");
    expect(await findTimers(host)).toEqual([]);
    await expectUndone(host, old);
  });
});

describe.concurrent.each([
  ["is missing", "mv /usr/bin/systemd-run /usr/bin/systemd-run.away"],
  [
    "fails",
    "printf '#!/bin/sh\\nexit 1\\n' >/usr/local/sbin/systemd-run; chmod 755 /usr/local/sbin/systemd-run",
  ],
] as const)("where systemd-run %s, a process", (what, breakIt) => {
  test("undoes an unconfirmed change, though its session's control group was killed", async ({ lab }) => {
    const [host, old] = await gateBooted(lab);
    await host.run(["sh", "-c", breakIt]);
    const sessions: string[] = [];
    const kill = async () => {
      const find = "find /sys/fs/cgroup/user.slice -name 'session-*.scope'";
      sessions.push((await host.run(["sh", "-c", `${find}; ${killSessions}`])).stdout);
    };
    const wrap = interfere({ after: { load: kill } });
    await leavePending(newPolicy, oldPolicy, 12, await deployTo(lab, host, wrap));
    expect(sessions).toEqual([expect.stringMatching(/session-\w+\.scope/)]);
    expect(await findTimers(host)).toHaveLength(1);
    expect(await listGate(host)).not.toBe(old);
    await expectUndone(host, old);
  });

  if (isDeep || what === "is missing") {
    test("is stopped by the confirmation", async ({ lab }) => {
      const [host] = await gateBooted(lab);
      await host.run(["sh", "-c", breakIt]);
      await changeHost(update, await deployTo(lab, host));
      await waitUntil("no timer", 5_000, async () => (await findTimers(host)).length === 0);
      expect(await isLetIn("outside", host, newSteps)).toBe(true);
      expect(await listLibrary(host)).toEqual(confirmedFiles);
    });
  }

  if (isDeep) {
    test("undoes an unconfirmed change, though logind ends all of its user's processes", async ({ lab }) => {
      const [host, old] = await gateBooted(lab);
      await host.run(["sh", "-c", breakIt]);
      const config = "mkdir -p /etc/systemd/logind.conf.d && cat >/etc/systemd/logind.conf.d/test.conf";
      await host.run(["sh", "-c", `${config} && systemctl restart systemd-logind`], {
        stdin: "[Login]\nKillUserProcesses=yes\nKillExcludeUsers=\n",
      });
      await leavePending(newPolicy, oldPolicy, 12, await deployTo(lab, host));
      await waitUntil("the session's end", 10_000, async () => {
        return (await host.run(["loginctl", "--no-legend", "list-sessions"])).stdout === "";
      });
      expect(await findTimers(host)).toHaveLength(1);
      await expectUndone(host, old);
    });
  }
});
