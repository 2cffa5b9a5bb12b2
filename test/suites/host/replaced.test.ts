import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import type { LabMachine } from "../../../lab/machine";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import { writePolicy } from "../../../src/policy/written-policy";
import { watchClosed } from "./connect-loop";
import { claimHost, connectionTo, deployTo, waitUntil } from "./deployment";
import { isLetIn, listFiles, listGate } from "./inspection";
import { manage } from "./managed";
import { leavePending } from "./pending";
import { makePolicy, newSteps, oldSteps, type Particulars } from "./policies";

vi.setConfig({ maxConcurrency: 3 });
vi.spyOn(console, "log").mockImplementation(() => undefined);

let lab: Lab;
let client: LabMachine;
beforeAll(async () => {
  lab = await openLab({ hosts: 10, clients: 1 });
  const [first] = lab.clients;
  if (first === undefined) throw new Error("expected a client");
  client = first;
});
afterAll(() => lab?.close());

/** All rules of the gates, on either backend. */
async function listGates(host: LabHost): Promise<string> {
  const saved = await host.run(["sh", "-c", "iptables-save; ip6tables-save"], { check: false });
  const chains = saved.stdout.split("\n").filter((line) => line.includes("kg_"));
  return [await listGate(host), await listGate(host, "rim"), ...chains].join("\n").trim();
}

const nftables: Particulars = { backend: "nftables" };
const iptables: Particulars = { backend: "iptables" };

describe.concurrent("no source gets in without a knock at any moment, and only the new knock opens in the end,", () => {
  test.each<readonly [string, Particulars, Particulars]>([
    ["a policy gets another name with nftables", nftables, { ...nftables, name: "rim" }],
    ["a policy gets another name with iptables", iptables, { ...iptables, name: "rim" }],
    ["a policy goes from nftables to iptables", nftables, iptables],
    ["a policy goes from iptables to nftables", iptables, nftables],
    ["a policy goes from iptables' filter to its mangle", iptables, { ...iptables, scope: "prerouting" }],
  ])("when %s", async (_, former, next) => {
    const host = claimHost(lab);
    const gate = await manage({
      connection: connectionTo(lab, host),
      policy: writePolicy(makePolicy(former)),
    });
    const policy = writePolicy(makePolicy({ ...next, steps: newSteps }));
    const seen = await watchClosed(client, host, () => gate.up({ policy }));
    expect(seen.answered).toBe(0);
    expect(seen.begun).toBeGreaterThan(100);
    expect(await isLetIn(client, host, oldSteps)).toBe(false);
    expect(await isLetIn(client, host, newSteps)).toBe(true);
    const rules = await listGates(host);
    if (former.backend !== next.backend)
      expect(rules).not.toMatch(former.backend === "nftables" ? /knockgate_/ : /kg_/);
    const files = await listFiles(host);
    if (policy.name === "rim") expect(`${rules}${files}`).not.toMatch(/[_/]edge/);
    expect(`${files}`).not.toMatch(/former|undo|replaces|pending/);
    expect(await gate.refresh()).toEqual([]);
    await gate.destroy();
    expect([await listGates(host), await listFiles(host)]).toEqual(["", []]);
  });

  test("when the boot command finds a chain of iptables changed", async () => {
    const host = claimHost(lab);
    await changeHost(
      { policy: makePolicy(iptables), owner: "me", undoAfterSeconds: 60 },
      await deployTo(lab, host),
    );
    const before = await listGates(host);
    const seen = await watchClosed(client, host, async () => {
      for (let round = 0; round < 3; round += 1) {
        await host.run(["iptables", "-A", "kg_edge_mid_knock", "-j", "RETURN"]);
        await host.run(["sh", "/var/lib/knockgate/edge/host.sh", "boot", "edge"]);
      }
    });
    expect(seen.answered).toBe(0);
    expect(await listGates(host)).toBe(before);
  });
});

describe.concurrent("a change to another name or backend that is not confirmed", () => {
  test.each<readonly [string, Particulars, Particulars]>([
    ["name", nftables, { ...nftables, name: "rim" }],
    ["backend", iptables, nftables],
  ])("leaves the former gate with its knock: another %s", async (_, former, next) => {
    const host = claimHost(lab);
    const owner = "me";
    const had = makePolicy(former);
    await changeHost({ policy: had, owner, undoAfterSeconds: 60 }, await deployTo(lab, host));
    const before = [await listGates(host), await listFiles(host)];
    const request = {
      policy: makePolicy({ ...next, steps: newSteps }),
      formerPolicies: [had],
      owner,
      undoAfterSeconds: 60,
      health: { command: "false", timeoutSeconds: 5 },
    };
    const seen = await watchClosed(client, host, async () => {
      await expect(changeHost(request, await deployTo(lab, host))).rejects.toMatchObject({
        message: expect.stringContaining("The host has put back what it had before."),
      });
    });
    expect(seen.answered).toBe(0);
    const files = (await listFiles(host)).filter((file) => !file.endsWith("/undone"));
    expect([await listGates(host), files]).toEqual(before);
    expect(await isLetIn(client, host, newSteps)).toBe(false);
    expect(await isLetIn(client, host, oldSteps)).toBe(true);
  });

  test("is undone by the host's own timer when its deployer is gone", async () => {
    const host = claimHost(lab);
    const had = makePolicy(nftables);
    await changeHost({ policy: had, owner: "someone", undoAfterSeconds: 60 }, await deployTo(lab, host));
    const before = await listGates(host);
    const next = makePolicy({ ...iptables, steps: newSteps });
    await leavePending(next, had, 5, await deployTo(lab, host));
    expect(await listGates(host)).not.toBe(before);
    await waitUntil("the former gate", 20_000, async () => (await listGates(host)) === before);
    await removeFromHost(had, "someone", await deployTo(lab, host));
    expect(await listGates(host)).toBe("");
  });
});
