import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import { claimHost, deployTo, waitUntil } from "./deployment";
import { confirmedFiles, findTimers, isLetIn, listFiles, listGate, waitForNoTimer } from "./inspection";
import { leavePending } from "./pending";
import { newPolicy, oldPolicy, oldSteps } from "./policies";
import { interfere } from "./routes";

const first = { policy: oldPolicy, owner: "me", undoAfterSeconds: 60 };
const update = { ...first, policy: newPolicy, formerPolicies: [oldPolicy] };
const stub = readFileSync(join(__dirname, "systemd-stub.sh"), "utf8");
const unitNames = ["knockgate-edge.follow.service", "knockgate-edge.hold.service", "knockgate-edge.service"];
const enabledUnits = [...unitNames.map((name) => `enabled-${name}`), ...unitNames];
const unit = "/etc/systemd/system/knockgate-edge.service";

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent.each(["dash", "busybox"] as const)("on a host with systemd and %s", (shell) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 7, shell });
  });
  afterAll(() => lab?.close());

  async function claimSystemd(): Promise<LabHost> {
    const host = claimHost(lab);
    const tools = "cd /usr/local/sbin && cat >systemctl && chmod 0755 systemctl && cp systemctl systemd-run";
    await host.run(["sh", "-c", `mkdir -p /run/systemd/system /run/systemd/stub && ${tools}`], {
      stdin: stub,
    });
    return host;
  }

  async function claimGated(): Promise<[LabHost, string]> {
    const host = await claimSystemd();
    await changeHost(first, await deployTo(lab, host));
    return [host, await listGate(host)];
  }

  const listUnits = async (host: LabHost): Promise<readonly string[]> => {
    const find = "cd /run/systemd/stub && ls; cd /etc/systemd/system && ls -d knockgate*";
    const { stdout } = await host.run(["sh", "-c", find], { check: false });
    return stdout.split("\n").filter((name) => name !== "");
  };

  test("a confirmed ruleset is loaded at boot by a unit, and no timer is left", async () => {
    const host = await claimSystemd();
    const context = await deployTo(lab, host);
    await changeHost(first, context);
    expect(context.lines.at(-1)).toContain("is loaded at boot by a systemd unit");
    expect(await listUnits(host)).toEqual(enabledUnits);
    expect(await listFiles(host)).toEqual(confirmedFiles);
    const old = await listGate(host);
    await host.run(["nft", "flush", "ruleset"]);
    await host.run(["systemctl", "start", "knockgate-edge.service"]);
    await waitUntil("the ruleset", 5_000, async () => (await listGate(host)) === old);
    const { stdout } = await host.run(["cat", unit]);
    expect(stdout).not.toMatch(/47001|58002|39003/);
  });

  test("a change that nobody confirms is undone by a timer of systemd", async () => {
    const [host, old] = await claimGated();
    await leavePending(newPolicy, oldPolicy, 5, await deployTo(lab, host));
    await waitUntil("the old ruleset", 20_000, async () => (await listGate(host)) === old);
    await waitUntil(
      "the timer's end",
      5_000,
      async () => (await listUnits(host)).length === enabledUnits.length,
    );
    expect(await isLetIn("outside", host, oldSteps)).toBe(true);
    await changeHost(update, await deployTo(lab, host));
    expect(await listFiles(host)).toEqual(confirmedFiles);
  });

  test("removing a gate removes its unit", async () => {
    const [host] = await claimGated();
    await removeFromHost(oldPolicy, "me", await deployTo(lab, host));
    expect([await listUnits(host), await listFiles(host), await host.ruleset()]).toEqual([[], [], ""]);
  });

  test("a change for which systemd starts no timer gets a process instead", async () => {
    const [host] = await claimGated();
    await host.run(["touch", "/run/systemd/stub/refuses-timers"]);
    let timers: readonly string[] = [];
    const look = async () => {
      timers = await findTimers(host);
    };
    await changeHost(update, await deployTo(lab, host, interfere({ before: { confirm: look } })));
    expect(timers).toHaveLength(1);
    await waitForNoTimer(host);
    expect(await listFiles(host)).toEqual(confirmedFiles);
  });

  test("a change whose timer can't be started at all is not made", async () => {
    const [host, old] = await claimGated();
    await host.run(["touch", "/run/systemd/stub/refuses-timers"]);
    const breakSetsid =
      "printf '#!/bin/sh\\nexit 1\\n' >/usr/local/sbin/setsid; chmod 0755 /usr/local/sbin/setsid";
    await host.run(["sh", "-c", breakSetsid]);
    await expect(changeHost(update, await deployTo(lab, host))).rejects.toMatchObject({
      code: "HOST_FAILED",
      message: expect.stringContaining("stage failed: the host could not start a timer for the undo"),
    });
    expect(await listGate(host)).toBe(old);
    expect(await listFiles(host)).toEqual(confirmedFiles);
  });

  test("a change whose unit can't be enabled is undone", async () => {
    const host = await claimSystemd();
    await host.run(["touch", "/run/systemd/stub/refuses-units"]);
    await expect(changeHost(first, await deployTo(lab, host))).rejects.toMatchObject({
      code: "NOT_CONFIRMED",
      message: expect.stringContaining("what loads the ruleset at boot could not be written"),
    });
    expect([await host.ruleset(), await listFiles(host)]).toEqual(["", []]);
    expect(await listUnits(host)).toEqual(["refuses-units"]);
  });
});
