import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import type { Policy } from "../../../src/policy/policy";
import { writePolicy } from "../../../src/policy/written-policy";
import { play } from "../../unit/cli/play";
import { claimHost, connectionTo, deployTo } from "./deployment";
import { isLetIn, listGate } from "./inspection";
import { manage } from "./managed";
import { makePolicy, oldSteps } from "./policies";

vi.setConfig({ maxConcurrency: 8 });

const gates = (backend: Policy["backend"], more = {}) => makePolicy({ backend, ...more });
const request = (policy: Policy) => ({ policy, owner: "me", undoAfterSeconds: 60 });
const script = "/var/lib/knockgate/edge/host.sh";

describe.concurrent.each(["nft", "legacy"] as const)("with iptables-%s", (variant) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 2, shell: variant === "nft" ? "dash" : "busybox" });
  });
  afterAll(() => lab?.close());

  test("a user of the host without rights can read no list of who knocks: after load, boot, undo and adoption", async () => {
    const host = claimHost(lab);
    await useVariant(host, variant);
    const policy = gates("iptables");
    const lists = "/proc/net/xt_recent/kg_edge_* /proc/net/ip*t_hashlimit/kg_edge_*";
    const show = `ls ${lists} | wc -l; setpriv --reuid 65534 --regid 65534 --clear-groups cat ${lists} 2>/dev/null | wc -l`;
    const look = async () => (await host.run(["sh", "-c", show])).stdout.split("\n").slice(0, 2).map(Number);
    const expectPrivate = async () => {
      const [there = 0, read] = await look();
      expect(there).toBeGreaterThan(4);
      expect(read).toBe(0);
    };
    const open = async () => {
      await host.run(["sh", "-c", `chmod 0644 ${lists}`]);
      await isLetIn("outside", host, oldSteps);
      expect((await look())[1]).toBeGreaterThan(0);
    };

    await changeHost(request(policy), await deployTo(lab, host));
    await isLetIn("outside", host, oldSteps);
    await expectPrivate();
    await open();
    await host.run(["sh", script, "boot", "edge"]);
    await expectPrivate();
    for (const tool of ["iptables", "ip6tables"]) await host.run(["sh", "-c", `${tool} -F; ${tool} -X`]);
    await host.run(["sh", script, "boot", "edge"]);
    await expectPrivate();
    await open();
    const adopting = await deployTo(lab, host);
    await changeHost({ ...request(policy), owner: "you", formerPolicies: [policy] }, adopting);
    await expectPrivate();
    await open();
    const noisy = await deployTo(lab, host);
    const health = { command: "false", timeoutSeconds: 5 };
    const other = gates("iptables", { steps: [{ tcp: 41_101 }, { udp: 52_102 }, { tcp: 36_103 }] });
    const failing = { ...request(other), owner: "you", formerPolicies: [policy], health };
    await expect(changeHost(failing, noisy)).rejects.toMatchObject({ code: "NOT_CONFIRMED" });
    expect(noisy.lines).toContainEqual(
      expect.stringMatching(/drift: readable: every user of the host can read/),
    );
    await expectPrivate();
  });
});

describe.concurrent("a copy of the gate that somebody saved while a door was open", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 3 });
  });
  afterAll(() => lab?.close());

  const saved = "/etc/nftables.conf";
  async function claimSaved(): Promise<LabHost> {
    const host = claimHost(lab);
    await changeHost(request(gates("nftables")), await deployTo(lab, host));
    expect(await isLetIn("outside", host, oldSteps)).toBe(true);
    await host.run(["sh", "-c", `(echo flush ruleset; nft list ruleset) >${saved}`]);
    return host;
  }

  test("keeps no door open: the boot command replaces it by our own table, and then leaves that alone", async () => {
    const host = await claimSaved();
    const gate = await listGate(host);
    await host.run(["nft", "-f", saved]);
    expect(await listGate(host)).toBe(gate);
    expect(await isLetIn("outside", host)).toBe(true);
    await host.run(["sh", script, "boot", "edge"]);
    expect(await isLetIn("outside", host)).toBe(false);
    const sets = await host.run(["nft", "list", "sets", "table", "inet", "knockgate_edge"], { check: false });
    expect(sets.stdout).not.toContain("elements");
    expect(await isLetIn("outside", host, oldSteps)).toBe(true);
    await host.run(["sh", script, "boot", "edge"]);
    expect(await isLetIn("outside", host)).toBe(true);
  });

  test("is warned of by the next change, and when the gate is removed", async () => {
    const host = await claimSaved();
    await host.run([
      "sh",
      "-c",
      `mkdir -p /etc/iptables && echo "-A kg_edges -j DROP" >/etc/iptables/rules.v4`,
    ]);
    await host.run(["sh", "-c", `mv ${saved} /etc/gate.nft && echo 'include "/etc/gate.nft"' >${saved}`]);
    const next = await deployTo(lab, host);
    const policy = gates("nftables", { allowFrom: ["192.0.2.0/24"] });
    await changeHost({ ...request(policy), formerPolicies: [gates("nftables")] }, next);
    const told = (lines: readonly string[]) => lines.filter((line) => line.includes("warning: /etc/"));
    expect(told(next.lines)).toEqual([
      expect.stringMatching(/\/etc\/gate.nft has a copy of policy edge's rules/),
    ]);
    const removing = await deployTo(lab, host);
    await removeFromHost(policy, "me", removing);
    expect(told(removing.lines)).toEqual([
      expect.stringMatching(/\/etc\/gate.nft still has a copy .* with its old knock/),
    ]);
  });

  test("is not seen in another policy's rules, or in a word that begins alike", async () => {
    const host = claimHost(lab);
    const names = "table inet knockgate_edge-2 {}\ntable inet knockgate_edges {}\n# my_kg_edge\n";
    await host.run(["sh", "-c", `cat >${saved}`], { stdin: names });
    await changeHost(request(gates("nftables")), await deployTo(lab, host));
    const removing = await deployTo(lab, host);
    await removeFromHost(gates("nftables"), "me", removing);
    expect(removing.lines.filter((line) => line.includes("warning"))).toEqual([]);
  });
});

describe("a neighbour that blocks, flushes or copies a gate after its proof", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 1 });
  });
  afterAll(() => lab?.close());

  test("is reported by a refresh and by `knockgate status`", async () => {
    const printed = vi.spyOn(console, "log").mockImplementation(() => undefined);
    const host = claimHost(lab);
    const connection = connectionTo(lab, host);
    const gate = (name: string, port: string) => ({
      name,
      protect: [{ tcp: port }],
      knock: { steps: [...oldSteps] },
    });
    const policy = makePolicy({ backend: "iptables", gates: [gate("ssh", "22"), gate("web", "8443")] });
    const written = writePolicy(policy);
    const managed = await manage({ connection, policy: written });
    expect(await managed.refresh()).toEqual([]);
    const late =
      "table inet late { chain input { type filter hook input priority 5; tcp dport { 80, 8000-9000 } drop; }; }";
    await host.run(["nft", late]);
    // A stand-in for a firewalld that somebody has started.
    await host.run(["touch", "/run/firewalld.pid"]);
    await host.run(["sh", "-c", "mkdir -p /etc/iptables && iptables-save >/etc/iptables/rules.v4"]);

    const blocks = /chain inet late input has a rule that drops TCP port 8443/;
    expect(await managed.refresh()).toEqual([expect.stringMatching(blocks)]);
    const said = printed.mock.calls.flat();
    expect(said).toContainEqual(expect.stringMatching(/warning: firewalld empties iptables' tables/));
    expect(said).toContainEqual(
      expect.stringMatching(/warning: \/etc\/iptables\/rules.v4 has a copy of policy edge/),
    );
    printed.mockRestore();

    const [policyFile, connectionFile] = [
      join(lab.directory, "policy.json"),
      join(lab.directory, "way.json"),
    ];
    writeFileSync(policyFile, JSON.stringify(written));
    writeFileSync(connectionFile, JSON.stringify(connection), { mode: 0o600 });
    const { out } = await play(["status", policyFile, "--connection", connectionFile]);
    for (const what of [blocks, /firewalld empties/, /rules.v4 has a copy/]) {
      expect(out.split("\n").filter((line) => line.includes(": warning: "))).toContainEqual(
        expect.stringMatching(what),
      );
    }
    await expect(managed.up({ policy: { ...written, allowFrom: ["192.0.2.0/24"] } })).rejects.toMatchObject({
      code: "HOST_UNFIT",
    });
    await managed.destroy();
  });
});

async function useVariant(host: LabHost, variant: "nft" | "legacy"): Promise<void> {
  for (const tool of ["iptables", "ip6tables"]) {
    for (const part of ["", "-save", "-restore"]) {
      await host.run(["ln", "-s", `/usr/sbin/${tool}-${variant}${part}`, `/usr/local/sbin/${tool}${part}`]);
    }
  }
}
