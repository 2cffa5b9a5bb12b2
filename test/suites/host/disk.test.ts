import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import { claimHost, deployTo } from "./deployment";
import { confirmedFiles, isLetIn, listFiles, listGate, waitForNoTimer } from "./inspection";
import { newPolicy, newSteps, oldPolicy, oldSteps } from "./policies";
import { interfere } from "./routes";

const first = { policy: oldPolicy, owner: "me", undoAfterSeconds: 60 };
const update = { ...first, policy: newPolicy, formerPolicies: [oldPolicy] };
const folder = "/var/lib/knockgate";

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent.each(["dash", "busybox"] as const)("a full disk on a host with %s", (shell) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 7, shell });
  });
  afterAll(() => lab?.close());

  async function claimSmall(size: string): Promise<LabHost> {
    const host = claimHost(lab);
    await host.run(["mkdir", folder]);
    await host.run(["mount", "-t", "tmpfs", "-o", `size=${size},mode=0700`, "tmpfs", folder]);
    return host;
  }

  test("stops a first change before anything is changed, and leaves no file of it", async () => {
    const host = await claimSmall("8k");
    const failing = changeHost(first, await deployTo(lab, host));
    await expect(failing).rejects.toMatchObject({
      code: "STAGE_FAILED",
      message: expect.stringMatching(
        /stage failed: .*is the disk full\?.* Nothing was changed on the host\./,
      ),
    });
    expect([await host.ruleset(), await listFiles(host)]).toEqual(["", [`d 0700 ${folder}`]]);
  });

  test.each([
    ["stage", "STAGE_FAILED"],
    ["arm", "HOST_FAILED"],
    ["load", "NOT_CONFIRMED"],
    ["confirm", "NOT_CONFIRMED"],
  ])("at %s fails the change, and the old ruleset stands", async (command, code) => {
    const host = await claimSmall("512k");
    await changeHost(first, await deployTo(lab, host));
    const old = await listGate(host);
    // If the script is the same, confirm only writes a link.
    await host.run(["sh", "-c", `echo "# older" >>${folder}/edge/host.sh`]);
    const fill = () => host.run(["sh", "-c", `cat /dev/zero >${folder}/filler`], { check: false });
    const wrap = interfere({ before: { [command]: fill } });
    await expect(changeHost(update, await deployTo(lab, host, wrap))).rejects.toMatchObject({ code });
    expect(await listGate(host)).toBe(old);
    await waitForNoTimer(host);
    expect(await isLetIn("outside", host, oldSteps)).toBe(true);
    await host.run(["rm", `${folder}/filler`]);
    await changeHost(update, await deployTo(lab, host));
    expect(await isLetIn("outside", host, newSteps)).toBe(true);
    expect(await listFiles(host)).toEqual(confirmedFiles);
  });

  test("lets a change be confirmed if the script is the same, because only a link is written then", async () => {
    const host = await claimSmall("512k");
    await changeHost(first, await deployTo(lab, host));
    const fill = () => host.run(["sh", "-c", `cat /dev/zero >${folder}/filler`], { check: false });
    await changeHost(update, await deployTo(lab, host, interfere({ before: { confirm: fill } })));
    await host.run(["rm", `${folder}/filler`]);
    expect(await isLetIn("outside", host, newSteps)).toBe(true);
    expect(await listFiles(host)).toEqual(confirmedFiles);
    await waitForNoTimer(host);
  });

  test("lets a boot load the confirmed ruleset, which does not look like drift then", async () => {
    const host = await claimSmall("512k");
    await changeHost(first, await deployTo(lab, host));
    const old = await listGate(host);
    await host.run(["sh", "-c", `cat /dev/zero >${folder}/filler`], { check: false });
    await host.run(["nft", "flush", "ruleset"]);
    await host.run(["sh", `${folder}/edge/host.sh`, "boot", "edge"]);
    expect(await listGate(host)).toBe(old);
    await host.run(["rm", `${folder}/filler`]);
    const context = await deployTo(lab, host);
    await changeHost({ ...first, formerPolicies: [oldPolicy] }, context);
    expect(context.lines.at(-1)).toContain("nothing to change");
  });
});
