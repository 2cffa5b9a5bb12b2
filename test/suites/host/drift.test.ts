import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import { isUnchanged } from "../../../src/host/observed";
import { claimHost, deployTo } from "./deployment";
import { isLetIn, listGate } from "./inspection";
import { observe } from "./look";
import { oldPolicy, oldSteps } from "./policies";

const first = { policy: oldPolicy, owner: "me", undoAfterSeconds: 60 };

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent.each(["dash", "busybox"] as const)("looking at a host with %s", (shell) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 8, shell });
  });
  afterAll(() => lab?.close());

  const look = (host: LabHost) => observe(lab, host, oldPolicy);

  test("tells the facts of one that has nothing of ours, and leaves nothing there", async () => {
    const host = claimHost(lab);
    expect(await look(host)).toMatchObject({
      clientAddress: lab.outside.ipv4,
      nftVersion: expect.stringMatching(/^\d+\.\d+(\.\d+)?$/),
      missing: [],
      init: "other",
      unwritable: [],
    });
    expect((await host.run(["ls", "-A", "/var/lib"])).stdout).toBe("");
  });

  test("finds it unchanged however many doors are open", async () => {
    const host = claimHost(lab);
    await changeHost(first, await deployTo(lab, host));
    expect(await isLetIn("outside", host, oldSteps)).toBe(true);
    const observed = await look(host);
    expect(isUnchanged(observed)).toBe(true);
    expect(observed.confirmed?.owner).toBe("me");
  });

  test.each([
    ["a rule was deleted", ["flush", "chain", "inet", "knockgate_edge", "ssh_door"]],
    ["a rule was added", ["add", "rule", "inet", "knockgate_edge", "ssh_door", "accept"]],
    ["a set was added", ["add", "set", "inet", "knockgate_edge", "more", "{ type ipv4_addr; }"]],
    ["the table was emptied", ["flush", "table", "inet", "knockgate_edge"]],
    ["the table was deleted", ["delete", "table", "inet", "knockgate_edge"]],
    ["all rules of the host were flushed", ["flush", "ruleset"]],
  ])("sees that %s, and the next change repairs it", async (what, command) => {
    const host = claimHost(lab);
    await changeHost(first, await deployTo(lab, host));
    const before = await listGate(host);
    await host.run(["nft", ...command]);
    const observed = await look(host);
    expect(isUnchanged(observed)).toBe(false);
    expect(observed.loaded === undefined).toBe(/table was deleted|flushed/.test(what));
    await changeHost({ ...first, formerPolicies: [oldPolicy] }, await deployTo(lab, host));
    expect(await listGate(host)).toBe(before);
  });
});
