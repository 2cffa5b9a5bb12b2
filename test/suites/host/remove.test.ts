import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import { claimHost, deployTo } from "./deployment";
import { confirmedFiles, isLetIn, listFiles, listGate, waitForNoTimer } from "./inspection";
import { makePolicy, newPolicy, oldPolicy, oldSteps } from "./policies";

const first = { policy: oldPolicy, owner: "me", undoAfterSeconds: 60 };
const update = { ...first, policy: newPolicy, formerPolicies: [oldPolicy] };

/** Somebody else's rules, among them a table with nearly our table's name. */
const foreign = `
table inet other {
	set seen { type ipv4_addr; flags dynamic,timeout; }
	chain input { type filter hook input priority filter; policy accept; tcp dport 9 drop; ip saddr @seen accept; }
}
add table ip knockgate_edge
add chain ip knockgate_edge input { type filter hook input priority filter; }
add rule ip knockgate_edge input tcp dport 22 accept
add table inet knockgate_edge2
add chain inet knockgate_edge2 ssh_sequence
add rule inet knockgate_edge2 ssh_sequence tcp dport 22 accept
`;

const leaving = readFileSync(join(__dirname, "..", "..", "..", "docs", "leaving.md"), "utf8");

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent.each(["dash", "busybox"] as const)("removing a gate from a host with %s", (shell) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 8, shell });
  });
  afterAll(() => lab?.close());

  async function claimGated(): Promise<LabHost> {
    const host = claimHost(lab);
    await host.run(["nft", "-f", "-"], { stdin: foreign });
    await changeHost(first, await deployTo(lab, host));
    return host;
  }

  test("leaves the rules of others byte for byte as they were, like all changes before", async () => {
    const host = claimHost(lab);
    await host.run(["nft", "-f", "-"], { stdin: foreign });
    const before = await host.ruleset();
    const others = async () =>
      (await host.ruleset()).replace(/^table inet knockgate_edge \{\n(.*\n)*?\}\n/m, "");
    await changeHost(first, await deployTo(lab, host));
    expect(await others()).toBe(before);
    await changeHost(update, await deployTo(lab, host));
    expect(await others()).toBe(before);
    const context = await deployTo(lab, host);
    await removeFromHost(newPolicy, "me", context);
    expect(await host.ruleset()).toBe(before);
    expect(await listFiles(host)).toEqual([]);
    await waitForNoTimer(host);
    expect(await isLetIn("outside", host)).toBe(true);
    expect(context.lines).toEqual([expect.stringContaining("the gate is removed, and nothing else")]);
  });

  test("does nothing when the gate belongs to another owner by now", async () => {
    const host = await claimGated();
    const before = await host.ruleset();
    const context = await deployTo(lab, host);
    await removeFromHost(oldPolicy, "somebody else", context);
    expect(context.lines).toEqual([expect.stringContaining("not touched")]);
    expect(await listFiles(host)).toEqual(confirmedFiles);
    expect(withoutDoors(await host.ruleset())).toBe(withoutDoors(before));
  });

  test("is done by hand as docs/leaving.md says", async () => {
    const [nftables, iptables] = [await claimGated(), claimHost(lab)];
    const policy = makePolicy({ backend: "iptables" });
    await changeHost({ ...first, policy }, await deployTo(lab, iptables));
    const [, command = ""] = /```sh\n(cd \/var\/lib\/knockgate\/edge [\s\S]*?)```/.exec(leaving) ?? [];
    for (const host of [nftables, iptables]) {
      expect((await host.run(["sh", "-c", command])).stdout).toBe("removed=yes\n");
      expect(await listFiles(host)).toEqual([]);
      expect((await host.run(["iptables-save"])).stdout).not.toContain("kg_edge");
    }
    expect(await listGate(nftables)).toBe("");
    await waitForNoTimer(nftables);
  });

  test("ends well a second time, and where there never was one", async () => {
    const host = await claimGated();
    await removeFromHost(oldPolicy, "me", await deployTo(lab, host));
    await removeFromHost(oldPolicy, "me", await deployTo(lab, host));
    const other = claimHost(lab);
    await removeFromHost(oldPolicy, "me", await deployTo(lab, other));
    expect([await other.ruleset(), await listFiles(other)]).toEqual(["", []]);
  });

  test("removes a gate whose table somebody has deleted, or whose files", async () => {
    const host = await claimGated();
    await host.run(["nft", "delete", "table", "inet", "knockgate_edge"]);
    await removeFromHost(oldPolicy, "me", await deployTo(lab, host));
    expect(await listFiles(host)).toEqual([]);
    await changeHost(first, await deployTo(lab, host));
    await host.run(["rm", "-r", "/var/lib/knockgate"]);
    await removeFromHost(oldPolicy, "me", await deployTo(lab, host));
    expect(await listGate(host)).toBe("");
  });

  test("leaves another policy of the same host in force", async () => {
    const host = await claimGated();
    const web = { name: "web", protect: [{ tcp: "8080" }], knock: { steps: [{ tcp: 61_001 }] } };
    const policy = makePolicy({ name: "web", gates: [web] });
    // The second policy has no knock for SSH. It comes in through the door that the first one's knock opened.
    await isLetIn("outside", host, oldSteps);
    await changeHost({ ...first, policy }, await deployTo(lab, host));
    await removeFromHost(oldPolicy, "me", await deployTo(lab, host));
    expect([await listGate(host), await listGate(host, "web")]).toEqual([
      "",
      expect.stringContaining("61001"),
    ]);
    expect((await listFiles(host)).filter((file) => file.startsWith("l"))).toEqual([
      "l /var/lib/knockgate/web/confirmed",
    ]);
  });
});

/** Leaves out elements and counts: a knock opens a door and is counted. */
function withoutDoors(ruleset: string): string {
  return ruleset.replace(/\n\t\telements = \{ 10\.[^}]*\}|\n\t\tpackets \d+ bytes \d+/g, "");
}
