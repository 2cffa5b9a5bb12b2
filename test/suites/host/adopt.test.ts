import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Lab, openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import { claimHost, deployTo } from "./deployment";
import { confirmedFiles, isLetIn, listFiles, listGate, waitForNoTimer } from "./inspection";
import { leavePending } from "./pending";
import { makePolicy, oldPolicy, oldSteps } from "./policies";

const first = { policy: oldPolicy, owner: "me", undoAfterSeconds: 60 };
const theirs = { ...first, owner: "another" };

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent.each([
  { backend: "nftables", shell: "dash" },
  { backend: "iptables", shell: "busybox" },
] as const)("adopting a gate of $backend on a host with $shell", ({ backend, shell }) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 4, clients: 1, shell });
  });
  afterAll(() => lab?.close());
  const policy = makePolicy({ backend });
  // Only nftables has this file: it tells our table from an equal one that somebody else has loaded.
  const files = confirmedFiles.filter((file) => backend === "nftables" || !file.endsWith("/loaded"));

  test("that equals the wanted one writes a new owner and nothing else: doors stay open", async () => {
    const host = claimHost(lab);
    const [client] = lab.clients;
    if (client === undefined) throw new Error("expected a client");
    await changeHost({ ...theirs, policy }, await deployTo(lab, host));
    expect(await isLetIn(client, host, oldSteps)).toBe(true);
    const stamp = "cd /var/lib/knockgate/edge && stat -c '%n %Y %i' confirmed $(readlink confirmed) host.sh";
    const before = await host.run(["sh", "-c", stamp]);
    const context = await deployTo(lab, host);
    await changeHost({ ...first, policy }, context);
    expect(context.lines.at(-1)).toContain(
      "confirmed and loaded by another; it now belongs to the owner of this change",
    );
    expect((await host.run(["sh", "-c", stamp])).stdout).toBe(before.stdout);
    expect(await listFiles(host)).toEqual(files);
    expect(await isLetIn(client, host)).toBe(true);
    await waitForNoTimer(host);

    await removeFromHost(policy, "another", await deployTo(lab, host));
    expect(await listFiles(host)).toEqual(files);
    await removeFromHost(policy, "me", await deployTo(lab, host));
    expect(await listFiles(host)).toEqual([]);
  });

  test("that was changed outside loads it anew under the new owner", async () => {
    const host = claimHost(lab);
    await changeHost({ ...theirs, policy }, await deployTo(lab, host));
    const list = async () => {
      const saved = await host.run(["sh", "-c", "iptables-save; ip6tables-save"]);
      return `${await listGate(host)}${saved.stdout.replace(/^#.*\n|\[\d+:\d+\]/gm, "")}`;
    };
    const before = await list();
    const damage = {
      nftables: ["nft", "flush", "chain", "inet", "knockgate_edge", "ssh_door"],
      iptables: ["iptables", "-F", "kg_edge"],
    }[backend];
    await host.run(damage);
    const context = await deployTo(lab, host);
    await changeHost({ ...first, policy }, context);
    expect(context.lines.join("\n")).toContain("4/6 load");
    expect(await list()).toBe(before);
    expect((await host.run(["sh", "-c", "cat /var/lib/knockgate/edge/changes/*/owner"])).stdout).toBe("me\n");
  });

  test("is refused while another change is pending there, and nothing is written", async () => {
    const host = claimHost(lab);
    await changeHost({ ...theirs, policy }, await deployTo(lab, host));
    await leavePending(policy, policy, 60, await deployTo(lab, host));
    await expect(changeHost({ ...first, policy }, await deployTo(lab, host))).rejects.toMatchObject({
      code: "CHANGE_PENDING",
    });
    const { stdout } = await host.run(["sh", "-c", "cat /var/lib/knockgate/edge/changes/*/owner"]);
    expect(stdout).not.toContain("me\n");
  });

  test("that somebody changed after it was looked at is refused by the host", async () => {
    const host = claimHost(lab);
    await changeHost({ ...theirs, policy }, await deployTo(lab, host));
    const adopt = ["sh", "/var/lib/knockgate/edge/host.sh", "adopt", "edge", "me", "0".repeat(64)];
    const { code, stderr } = await host.run(adopt, { check: false });
    expect([code, stderr]).toEqual([13, "the policy was changed since it was looked at\n"]);
    expect((await host.run(["sh", "-c", "cat /var/lib/knockgate/edge/changes/*/owner"])).stdout).toBe(
      "another\n",
    );
  });
});
