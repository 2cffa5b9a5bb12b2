import { describe, expect, vi } from "vitest";
import type { BootedHost } from "../../../lab/booted-host";
import type { Lab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import { commandProgram } from "../../../src/host/script/program";
import { deployTo, waitUntil } from "../host/deployment";
import { confirmedFiles, isLetIn, listGate } from "../host/inspection";
import { leavePending } from "../host/pending";
import { newPolicy, newSteps, oldPolicy, oldSteps } from "../host/policies";
import { writeProgram } from "../host/write-program";
import { findBooted, isDeep, test } from "./booted";
import { listEverything, listLibrary } from "./listing";
import { applyOlderScript, runOlderScript } from "./older-deployer";

const update = { policy: newPolicy, formerPolicies: [oldPolicy], owner: "me", undoAfterSeconds: 60 };
const unit = "/etc/systemd/system/knockgate-edge.service";

vi.setConfig({ maxConcurrency: 4 });

describe.concurrent("a host whose gate was made by an older script", () => {
  async function claimOld(lab: Lab): Promise<[BootedHost, string]> {
    const host = findBooted(lab);
    await applyOlderScript(host, oldPolicy, { upTo: "confirm", undoAfterSeconds: 60 });
    return [host, await listGate(host)];
  }

  test("takes over the new script and units by the next change, and boots with them", async ({ lab }) => {
    const [host] = await claimOld(lab);
    const older = await host.run(["cat", unit, "/var/lib/knockgate/edge/host.sh"]);
    await changeHost(update, await deployTo(lab, host));
    expect(await host.run(["cat", unit, "/var/lib/knockgate/edge/host.sh"])).not.toEqual(older);
    expect(await listLibrary(host)).toEqual(confirmedFiles);
    await host.reboot({ how: "power" });
    expect(await isLetIn("outside", host)).toBe(false);
    expect(await isLetIn("outside", host, newSteps)).toBe(true);
    await host.run(["systemctl", "start", "nftables.service"]);
    await waitUntil("the gate", 10_000, async () => (await listGate(host)) !== "");
  });

  test("is left without a trace when the new release removes the gate", async ({ lab }) => {
    const host = findBooted(lab);
    const before = await listEverything(host, ["/etc", "/var/lib"]);
    await applyOlderScript(host, oldPolicy, { upTo: "confirm", undoAfterSeconds: 60 });
    await removeFromHost(oldPolicy, "me", await deployTo(lab, host));
    expect(await listEverything(host, ["/etc", "/var/lib"])).toBe(before);
    expect(await host.ruleset()).toBe("");
  });

  test("boots with the old ruleset when it reboots while the new release has a change loaded", async ({
    lab,
  }) => {
    const [host, old] = await claimOld(lab);
    await leavePending(newPolicy, oldPolicy, 600, await deployTo(lab, host));
    await host.reboot({ how: "power" });
    expect(await listGate(host)).toBe(old);
    const context = await deployTo(lab, host);
    await changeHost(update, context);
    expect(context.lines[0]).toContain("the host was rebooted before it was confirmed");
  });

  if (isDeep) {
    test("undoes a pending change of an older script, when the new script asks it to", async ({ lab }) => {
      const host = findBooted(lab);
      const id = await applyOlderScript(host, oldPolicy, { upTo: "load", undoAfterSeconds: 600 });
      await expect(changeHost(update, await deployTo(lab, host))).rejects.toMatchObject({
        code: "CHANGE_PENDING",
      });
      const undo = commandProgram(["undo", "edge", id, "the deployer could not prove it"]);
      expect((await host.run(["sh", "-s"], { stdin: writeProgram(undo) })).stdout).toContain("undo=undone");
      expect([await host.ruleset(), await listLibrary(host)]).toEqual(["", []]);
      await changeHost({ ...update, formerPolicies: [] }, await deployTo(lab, host));
    });
  }

  if (isDeep) {
    test("undoes in time a pending change of an older script that is not confirmed", async ({ lab }) => {
      const host = findBooted(lab);
      await applyOlderScript(host, oldPolicy, { upTo: "load", undoAfterSeconds: 5 });
      await waitUntil("an end without files", 30_000, async () => (await listLibrary(host)).length === 0);
      expect(await host.ruleset()).toBe("");
    });
  }

  if (isDeep) {
    test("lets an older script undo a pending change of the new one", async ({ lab }) => {
      const [host, old] = await claimOld(lab);
      const id = await leavePending(newPolicy, oldPolicy, 600, await deployTo(lab, host));
      await runOlderScript(host, commandProgram(["undo", "edge", id, "the deployer could not prove it"]));
      expect(await listGate(host)).toBe(old);
      expect(await isLetIn("outside", host, oldSteps)).toBe(true);
    });
  }
});
