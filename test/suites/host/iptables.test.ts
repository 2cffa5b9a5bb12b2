import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import { isUnchanged } from "../../../src/host/observed";
import { observeHost } from "../../../src/host/script/observe";
import { readStep } from "../../../src/policy/step";
import { claimHost, deployTo, waitUntil } from "./deployment";
import { isLetIn, listFiles, waitForNoTimer } from "./inspection";
import { leavePending } from "./pending";
import { makePolicy } from "./policies";

const oldSteps = [{ tcp: 47_001 }, { udp: 58_002 }, { icmpPayloadBytes: 77 }];
const newSteps = [{ udp: 41_101, udpPayloadBytes: 5 }, { tcp: 52_102 }, { tcp: 36_103 }];
const oldPolicy = makePolicy({ steps: oldSteps, backend: "iptables" });
const newPolicy = makePolicy({ steps: newSteps, backend: "iptables" });
const first = { policy: oldPolicy, owner: "me", undoAfterSeconds: 60 };
const update = { ...first, policy: newPolicy, formerPolicies: [oldPolicy] };
const knock = [{ tcp: 47_001 }, { udp: 58_002 }, { icmpPayloadBytes: 77 }];

vi.setConfig({ maxConcurrency: 20 });

describe.concurrent.each([
  { variant: "nft", shell: "dash" },
  { variant: "legacy", shell: "busybox" },
] as const)("on a host with iptables-$variant and $shell", ({ variant, shell }) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 5, shell });
  });
  afterAll(() => lab?.close());

  async function claim(): Promise<LabHost> {
    const host = claimHost(lab);
    for (const tool of ["iptables", "ip6tables"]) {
      for (const part of ["", "-save", "-restore"]) {
        await host.run(["ln", "-s", `/usr/sbin/${tool}-${variant}${part}`, `/usr/local/sbin/${tool}${part}`]);
      }
      await host.run([tool, "-A", "INPUT", "-p", "tcp", "--dport", "8080", "-j", "ACCEPT"]);
    }
    return host;
  }

  test("a gate is made, changed through itself and removed, and the rest stays as it was", async () => {
    const host = await claim();
    const before = await listAll(host);
    const context = await deployTo(lab, host);
    await changeHost(first, context);
    expect(context.lines[0]).toContain(variant === "nft" ? "(nf_tables)" : "(legacy)");
    expect(await listOthers(host)).toBe(before);
    await changeHost(update, await deployTo(lab, host));
    expect(await isLetIn("outside", host, newSteps)).toBe(true);
    await removeFromHost(newPolicy, "me", await deployTo(lab, host));
    expect([await listAll(host), await listFiles(host)]).toEqual([before, []]);
  });

  test("an update whose knock does not open is undone, in both families", async () => {
    const host = await claim();
    await changeHost(first, await deployTo(lab, host));
    const before = await listAll(host);
    const eaten = await lab.swallow({ to: host, protocol: "tcp", port: 36_103 });
    await expect(changeHost(update, await deployTo(lab, host))).rejects.toMatchObject({
      code: "NOT_CONFIRMED",
      message: expect.stringContaining("The host has put back what it had before."),
    });
    await eaten.restore();
    expect(await listAll(host)).toBe(before);
    await waitForNoTimer(host);
    expect(await isLetIn("outside", host, knock)).toBe(true);
  });

  test("what was not confirmed is undone by the host's own timer, a first change too", async () => {
    const host = await claim();
    const before = await listAll(host);
    await leavePending(newPolicy, undefined, 3, await deployTo(lab, host));
    expect(await listAll(host)).not.toBe(before);
    await waitUntil("an end without files", 8_000, async () => (await listFiles(host)).length === 0);
    expect(await listAll(host)).toBe(before);
    await waitForNoTimer(host);
  });

  test("both families are loaded, or neither", async () => {
    const host = await claim();
    await changeHost(first, await deployTo(lab, host));
    const before = await listAll(host);
    const real = `/usr/sbin/ip6tables-${variant}-restore`;
    const failing = `#!/bin/sh\ncase " $* " in *" --test "*) exec ${real} "$@" ;; esac\n[ -e /run/failed ] && exec ${real} "$@"\ntouch /run/failed; cat >/dev/null; exit 1\n`;
    const stub =
      "rm /usr/local/sbin/ip6tables-restore && cat >/usr/local/sbin/ip6tables-restore && chmod 0755 /usr/local/sbin/ip6tables-restore";
    await host.run(["sh", "-c", stub], { stdin: failing });
    await expect(changeHost(update, await deployTo(lab, host))).rejects.toMatchObject({
      message: expect.stringContaining("load failed: iptables could not load the ruleset"),
    });
    expect(await listAll(host)).toBe(before);
  });

  test("a rule deleted by hand is drift, and the next change repairs it", async () => {
    const host = await claim();
    await changeHost(first, await deployTo(lab, host));
    const before = await listAll(host);
    await host.run(["ip6tables", "-D", "kg_edge_new_conns", "-p", "tcp", "--dport", "22", "-j", "DROP"]);
    const context = await deployTo(lab, host);
    const connection = await context.routes[0]
      ?.knock(oldSteps.map(readStep))
      .then(() => context.routes[0]?.connect(5_000));
    if (connection === undefined) throw new Error("no route");
    expect(isUnchanged(await observeHost(connection, oldPolicy))).toBe(false);
    connection.close();
    await changeHost({ ...first, formerPolicies: [oldPolicy] }, await deployTo(lab, host));
    expect(await listAll(host)).toBe(before);
  });
});

/** All rules of both families, without comments and counters; nft's own view as well. */
async function listAll(host: LabHost): Promise<string> {
  const { stdout } = await host.run(["sh", "-c", "iptables-save -t filter; ip6tables-save -t filter"]);
  return stdout.replace(/^#.*\n/gm, "").replace(/\[\d+:\d+\]/g, "");
}

async function listOthers(host: LabHost): Promise<string> {
  return (await listAll(host)).replace(/^(:kg_|-A kg_|.* -j kg_).*\n/gm, "");
}
