import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import { claimHost, deployTo } from "./deployment";
import { confirmedFiles, findTimers, isLetIn, listFiles, listGate } from "./inspection";
import { leavePending } from "./pending";
import { newPolicy, newSteps, oldPolicy, oldSteps } from "./policies";
import { interfere } from "./routes";

const first = { policy: oldPolicy, owner: "me", undoAfterSeconds: 60 };
const update = { ...first, policy: newPolicy, formerPolicies: [oldPolicy] };

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent.each(["dash", "busybox"] as const)("a reboot of a host with %s", (shell) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 7, shell });
  });
  afterAll(() => lab?.close());

  async function claimGated(): Promise<[LabHost, string]> {
    const host = claimHost(lab);
    await changeHost(first, await deployTo(lab, host));
    return [host, await listGate(host)];
  }

  test("while a change is armed ends in the confirmed ruleset, and the next change ends well", async () => {
    const [host, old] = await claimGated();
    await leavePending(newPolicy, oldPolicy, 600, await deployTo(lab, host));
    expect(await listGate(host)).not.toBe(old);
    await reboot(host);
    expect(await listGate(host)).toBe(old);
    const context = await deployTo(lab, host);
    await changeHost(update, context);
    expect(context.lines[0]).toContain(
      "the last change was undone: the host was rebooted before it was confirmed",
    );
    expect(await isLetIn("outside", host, newSteps)).toBe(true);
    expect(await listFiles(host)).toEqual(confirmedFiles);
  });

  test("while a first change is armed leaves the host open, and the next change ends well", async () => {
    const host = claimHost(lab);
    await leavePending(newPolicy, undefined, 600, await deployTo(lab, host));
    await reboot(host);
    expect(await host.ruleset()).toBe("");
    await changeHost(first, await deployTo(lab, host));
    expect(await listFiles(host)).toEqual(confirmedFiles);
  });

  test("loads what was confirmed", async () => {
    const [host, old] = await claimGated();
    await reboot(host);
    expect(await listGate(host)).toBe(old);
    expect(await isLetIn("outside", host, oldSteps)).toBe(true);
    const context = await deployTo(lab, host);
    await changeHost({ ...first, formerPolicies: [oldPolicy] }, context);
    expect(context.lines.at(-1)).toContain("nothing to change");
  });

  test("in the middle of confirm, after its decisive step, is not reported as an undo", async () => {
    const [host] = await claimGated();
    const folder = "/var/lib/knockgate/edge";
    const wrap = interfere({
      before: { confirm: () => host.run(["cp", `${folder}/pending`, "/tmp/pending"]) },
      after: { confirm: () => host.run(["mv", "/tmp/pending", `${folder}/pending`]) },
    });
    await changeHost(update, await deployTo(lab, host, wrap));
    await reboot(host);
    expect(await isLetIn("outside", host, newSteps)).toBe(true);
    expect(await listFiles(host)).toEqual(confirmedFiles);
  });

  // Loaded afresh, the kernel lists the sets in another order than after an update that kept some of them.
  test("after an update leaves no drift", async () => {
    const [host] = await claimGated();
    await changeHost(update, await deployTo(lab, host));
    await reboot(host);
    const context = await deployTo(lab, host);
    await changeHost({ ...update, formerPolicies: [newPolicy] }, context);
    expect(context.lines.at(-1)).toContain("nothing to change");
  });

  test("in the middle of confirm, before its decisive step, lets later changes be confirmed", async () => {
    const [host, old] = await claimGated();
    await host.run(["ln", "-s", "changes/none/ruleset", "/var/lib/knockgate/edge/confirmed.new"]);
    await reboot(host);
    expect(await listGate(host)).toBe(old);
    await changeHost(update, await deployTo(lab, host));
    expect(await listFiles(host)).toEqual(confirmedFiles);
  });

  test("is not needed for the boot command, which keeps doors open when nothing is missing", async () => {
    const [host, old] = await claimGated();
    expect(await isLetIn("outside", host, oldSteps)).toBe(true);
    await boot(host);
    expect(await isLetIn("outside", host)).toBe(true);
    await host.run(["nft", "flush", "ruleset"]);
    await boot(host);
    expect(await listGate(host)).toBe(old);
    expect(await isLetIn("outside", host)).toBe(false);
  });
});

/** Does what a host notices of a reboot: no process survives, its rules are gone, and the boot's id is new. */
async function reboot(host: LabHost): Promise<void> {
  const timers = await findTimers(host);
  if (timers.length > 0) await host.run(["kill", "-9", ...timers], { check: false });
  await host.run(["nft", "flush", "ruleset"]);
  await host.run(["sh", "-c", "cat >/run/boot_id"], { stdin: "11111111-2222-4333-8444-555555555555\n" });
  await host.run(["mount", "--bind", "/run/boot_id", "/proc/sys/kernel/random/boot_id"]);
  await boot(host);
}

/** Runs the boot's command, if there is one. */
async function boot(host: LabHost): Promise<void> {
  const script = "/var/lib/knockgate/edge/host.sh";
  await host.run(["sh", "-c", `[ ! -e ${script} ] || sh ${script} boot edge`]);
}
