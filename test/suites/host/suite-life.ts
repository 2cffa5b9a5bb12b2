import { expect } from "vitest";
import type { LabHost } from "../../../lab/host";
import type { Lab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import type { Policy } from "../../../src/policy/policy";
import { writePolicy } from "../../../src/policy/written-policy";
import { type Deployment, deployTo } from "./deployment";
import { isLetIn, listFiles } from "./inspection";
import { listDrift } from "./look";
import { makePolicy } from "./policies";

const oldSteps = [{ tcp: 47_001 }, { udp: 58_002 }, { icmpPayloadBytes: 77 }];
const newSteps = [{ udp: 41_101, udpPayloadBytes: 5 }, { tcp: 52_102 }, { tcp: 36_103 }];
const web = { name: "web", protect: [{ tcp: "8080" }], knock: { steps: [{ tcp: 61_001 }, { tcp: 51_002 }] } };

/**
 * Plays the life of one gate on a host: first change, updates through the gate that keep a door open, an update that
 * fails and is undone, drift and its repair, a boot, removal. Returns the lines of all changes.
 *
 * @param deploy makes the deployer's world. Default: root by key.
 */
export async function playLife(
  lab: Lab,
  host: LabHost,
  backend: Policy["backend"],
  deploy: () => Promise<Deployment> = () => deployTo(lab, host),
): Promise<string> {
  const make = (steps: typeof oldSteps, more: object = {}) =>
    makePolicy({ steps, backend, ...more } as never);
  const old = make(oldSteps);
  const ssh = writePolicy(old).gates[0] as object;
  const wider = makePolicy({ backend, gates: [ssh, web] } as never);
  const changed = make(newSteps as never);
  const request = { owner: "me", undoAfterSeconds: 60 };
  const lines: string[] = [];
  const change = async (policy: Policy, former?: Policy) => {
    const context = await deploy();
    const formerPolicies = former === undefined ? [] : [former];
    await changeHost({ ...request, policy, formerPolicies }, context).finally(() =>
      lines.push(...context.lines),
    );
    return context.lines.join("\n");
  };
  const [client] = lab.clients;
  if (client === undefined) throw new Error("the lab has no client");
  const before = await listEverything(host, backend);

  await change(old);
  expect(await isLetIn(client, host)).toBe(false);
  expect(await isLetIn(client, host, oldSteps)).toBe(true);
  expect(await listDrift(lab, host, old, deploy)).toEqual([]);

  expect(await change(wider, old)).toContain("open doors stay open");
  expect(await isLetIn(client, host, oldSteps)).toBe(true);
  expect(await change(changed, wider)).toContain("open doors stay open");
  expect(await isLetIn(client, host, newSteps as never)).toBe(true);
  expect(await change(changed, changed)).toContain("nothing to change");

  const loaded = await listOwn(host, backend);
  const eaten = await lab.swallow({ to: host, protocol: "tcp", port: 47_001 });
  await expect(change(old, changed)).rejects.toMatchObject({
    code: "NOT_CONFIRMED",
    message: expect.stringContaining("The host has put back what it had before."),
  });
  await eaten.restore();
  expect(await listOwn(host, backend)).toBe(loaded);
  expect(await isLetIn(client, host, newSteps as never)).toBe(true);

  await host.run(["sh", "-c", spoil[backend]]);
  expect(await listDrift(lab, host, changed, deploy)).toEqual([
    expect.stringMatching(/^changed outside: .*: \+ .*accept$/i),
    expect.stringContaining("undone: the host has put back what it had before the last change"),
  ]);
  await change(changed, changed);
  expect(await listOwn(host, backend)).toBe(loaded);
  expect(await listDrift(lab, host, changed, deploy)).toEqual([]);

  await host.run(["sh", "-c", flush[backend]]);
  await host.run(["sh", "/var/lib/knockgate/edge/host.sh", "boot", "edge"]);
  expect(await isLetIn(client, host)).toBe(false);
  expect(await isLetIn(client, host, newSteps as never)).toBe(true);
  expect(await listDrift(lab, host, changed, deploy)).toEqual([]);

  await removeFromHost(changed, "me", await deploy());
  expect(await listEverything(host, backend)).toBe(before);
  expect(await listFiles(host)).toEqual([]);
  return lines.join("\n");
}

const spoil = {
  nftables: "nft add rule inet knockgate_edge ssh_door accept",
  iptables: "iptables -A kg_edge -p tcp --dport 9 -j ACCEPT",
};

const flush = {
  nftables: "nft flush ruleset",
  // With the doors: the lists of xt_recent outlive rules, and sources that have just knocked are let in.
  iptables:
    "iptables -D INPUT 1; ip6tables -D INPUT 1; iptables -F kg_edge; echo / >/proc/net/xt_recent/kg_edge_ssh_open",
};

const listing = {
  nftables: "nft -s -t list table inet knockgate_edge | sed 's/[[:space:]]*# count [0-9]*$//'",
  iptables: "for t in iptables ip6tables; do $t-save -t filter | sed -e '/^#/d' -e 's/ [[].*//'; done",
};

async function listOwn(host: LabHost, backend: Policy["backend"]): Promise<string> {
  return (await host.run(["sh", "-c", listing[backend]])).stdout;
}

/** The nft variant of iptables makes tables of its own when it is first called. So it is called only for iptables. */
async function listEverything(host: LabHost, backend: Policy["backend"]): Promise<string> {
  const list = backend === "nftables" ? "nft list ruleset" : listing.iptables;
  return (await host.run(["sh", "-c", list])).stdout;
}
