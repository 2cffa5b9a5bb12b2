import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Lab, openLab } from "../../../lab/lab";
import { bringTools } from "../../../lab/suite-tools";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import { claimHost, deployTo } from "./deployment";
import { isLetIn, listFiles } from "./inspection";
import { listDrift } from "./look";
import { makePolicy, newSteps, oldSteps } from "./policies";

const request = { owner: "me", undoAfterSeconds: 60 };

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent("a host with a gate", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 8, clients: 1 });
  });
  afterAll(() => lab?.close());
  const client = () => {
    const [first] = lab.clients;
    if (first === undefined) throw new Error("no client");
    return first;
  };
  const backends = ["nftables", "iptables"] as const;

  test.each(backends)(
    "whose tools for %s are upgraded twice has no drift, and keeps its doors",
    async (backend) => {
      const host = claimHost(lab);
      const old = makePolicy({ backend });
      const changed = makePolicy({ backend, steps: newSteps });
      bringTools(host, "bullseye");
      await changeHost({ ...request, policy: old }, await deployTo(lab, host));
      expect(await isLetIn(client(), host, oldSteps)).toBe(true);
      for (const suite of ["here", "sid"] as const) {
        if (suite === "sid") bringTools(host, "sid");
        else await host.run(["sh", "-c", "rm -f /usr/local/sbin/nft /usr/local/sbin/ip*tables*"]);
        expect(await listDrift(lab, host, old)).toEqual([]);
        expect(await isLetIn(client(), host)).toBe(true);
        const context = await deployTo(lab, host);
        await changeHost({ ...request, policy: old, formerPolicies: [old] }, context);
        expect(context.lines.join("\n")).toContain("nothing to change");
      }
      const context = await deployTo(lab, host);
      await changeHost({ ...request, policy: changed, formerPolicies: [old] }, context);
      expect(context.lines.join("\n")).not.toContain("drift");
      expect(context.lines.join("\n")).toContain("open doors stay open");
      expect(await isLetIn(client(), host)).toBe(true);
      expect(await listDrift(lab, host, changed)).toEqual([]);
    },
  );

  test.each(backends)(
    "whose tools for %s are upgraded shows the drift that there is, and no other",
    async (backend) => {
      const host = claimHost(lab);
      const old = makePolicy({ backend });
      bringTools(host, "bullseye");
      await changeHost({ ...request, policy: old }, await deployTo(lab, host));
      await host.run(["sh", "-c", spoil[backend]]);
      bringTools(host, "sid");
      const [line, ...more] = await listDrift(lab, host, old);
      expect(line).toMatch(/^changed outside: .*: \+ .*(dport 9 accept|--dport 9 -j ACCEPT)$/);
      expect(more).toEqual([]);
      await changeHost({ ...request, policy: old, formerPolicies: [old] }, await deployTo(lab, host));
      expect(await listDrift(lab, host, old)).toEqual([]);
    },
  );

  test("of which the owner changes after an upgrade keeps what is loaded", async () => {
    const host = claimHost(lab);
    const policy = makePolicy();
    bringTools(host, "bullseye");
    await changeHost({ ...request, policy }, await deployTo(lab, host));
    expect(await isLetIn(client(), host, oldSteps)).toBe(true);
    bringTools(host, "sid");
    const context = await deployTo(lab, host);
    await changeHost(
      { ...request, owner: "another", adopts: true, policy, formerPolicies: [policy] },
      context,
    );
    expect(context.lines.join("\n")).toContain("its open doors stay open");
    expect(await isLetIn(client(), host)).toBe(true);
  });

  // An old nft can't parse what a new one stores with a set, and crashes.
  test("whose nft is older than what has loaded it says so, is not changed, and can be removed", async () => {
    const host = claimHost(lab);
    const policy = makePolicy();
    bringTools(host, "sid");
    await changeHost({ ...request, policy }, await deployTo(lab, host));
    rmSync(`/proc/${host.pid}/root/usr/local/sbin/nft`);
    const [line, ...more] = await listDrift(lab, host, policy);
    expect(line).toMatch(
      /^not listed: nft \S+ crashes when it lists the host's tables, as an old one does over/,
    );
    expect(more).toEqual([]);
    const files = await listFiles(host);
    const changed = makePolicy({ steps: newSteps });
    const failing = changeHost(
      { ...request, policy: changed, formerPolicies: [policy] },
      await deployTo(lab, host),
    );
    await expect(failing).rejects.toMatchObject({
      code: "HOST_UNFIT",
      message: expect.stringMatching(
        /1\/6 connect failed: nft \S+ crashes .* Nothing was changed on the host/s,
      ),
    });
    expect(await listFiles(host)).toEqual(files);
    expect(await isLetIn(client(), host)).toBe(false);
    const context = await deployTo(lab, host);
    await removeFromHost(policy, "me", context);
    expect(context.lines.join("\n")).toContain("its empty table stays until the next boot");
    expect(await listFiles(host)).toEqual([]);
    expect(await isLetIn(client(), host)).toBe(true);
  });
});

const spoil = {
  nftables: "nft add rule inet knockgate_edge ssh_door tcp dport 9 accept",
  iptables: "iptables -A kg_edge -p tcp --dport 9 -j ACCEPT",
};
