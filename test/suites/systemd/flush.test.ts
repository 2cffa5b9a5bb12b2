import { describe, expect, vi } from "vitest";
import type { BootedHost } from "../../../lab/booted-host";
import type { Lab } from "../../../lab/lab";
import { waitUntil } from "../host/deployment";
import { isLetIn, listGate } from "../host/inspection";
import { makePolicy, oldSteps } from "../host/policies";
import { gateBooted, isDeep, test } from "./booted";

const unit = "knockgate-edge.service";
const brokenRules = "flush ruleset\ntable inet broken {\n";
const savedRules = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 8080 -j ACCEPT\nCOMMIT\n";

vi.setConfig({ maxConcurrency: 4 });

const isActive = async (host: BootedHost) =>
  (await host.run(["systemctl", "is-active", unit], { check: false })).stdout.trim();

describe.concurrent("a host whose nftables.service begins by flushing all tables", () => {
  /** Debian's own configuration: `flush ruleset`, then an empty table inet filter. */
  async function claimFlushing(lab: Lab): Promise<[BootedHost, string]> {
    const [host, old] = await gateBooted(lab);
    await host.run(["systemctl", "enable", "--now", "nftables.service"]);
    await waitUntil("the gate after its start", 10_000, async () => (await listGate(host)) === old);
    return [host, old];
  }

  test("boots with the gate beside its own tables", async ({ lab }) => {
    const [host, old] = await claimFlushing(lab);
    await host.reboot({ how: "power" });
    expect(await listGate(host)).toBe(old);
    expect(await host.ruleset()).toContain("table inet filter");
    expect(await isLetIn("outside", host)).toBe(false);
    expect(await isLetIn("outside", host, oldSteps)).toBe(true);
  });

  test("has the gate back after a restart, a reload, and a stop with a later start", async ({ lab }) => {
    const [host, old] = await claimFlushing(lab);
    for (const command of ["restart", "reload"]) {
      const before = await findHandle(host);
      await host.run(["systemctl", command, "nftables.service"]);
      await waitUntil(`the gate after a ${command}`, 10_000, async () => {
        const [now, handle] = [await listGate(host), await findHandle(host)];
        return now === old && handle !== before;
      });
      expect(await host.ruleset()).toContain("table inet filter");
      expect(await isLetIn("outside", host)).toBe(false);
    }
    await host.run(["systemctl", "stop", "nftables.service"]);
    // The whole firewall is off, ours included, and our unit shows it.
    expect(await host.ruleset()).toBe("");
    expect(await isActive(host)).toBe("inactive");
    await host.run(["systemctl", "start", "nftables.service"]);
    await waitUntil("the gate after a start", 10_000, async () => (await listGate(host)) === old);
    expect(await isActive(host)).toBe("active");
  });

  if (isDeep) {
    test("has the gate back even when its own configuration does not load", async ({ lab }) => {
      const [host, old] = await claimFlushing(lab);
      await host.run(["sh", "-c", "cat >/etc/nftables.conf"], { stdin: brokenRules });
      expect((await host.run(["systemctl", "restart", "nftables.service"], { check: false })).code).not.toBe(
        0,
      );
      await waitUntil("the gate", 10_000, async () => (await listGate(host)) === old);
      await host.reboot({ how: "power" });
      expect(await listGate(host)).toBe(old);
      expect(await isActive(host)).toBe("active");
    });
  }
});

// A unit like that of Fedora and its relatives: it starts only after sysinit.target and basic.target
// (systemd.service(5)).
const lateService = `[Unit]
Wants=network-pre.target
Before=network-pre.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f /etc/nftables.conf
ExecReload=/usr/sbin/nft -f /etc/nftables.conf
ExecStop=/usr/sbin/nft flush ruleset
[Install]
WantedBy=multi-user.target
`;

if (isDeep) {
  test("a host whose nftables.service starts late boots with the gate, without a cycle", async ({ lab }) => {
    const [host, old] = await gateBooted(lab);
    const install = "cat >/etc/systemd/system/nftables.service && systemctl daemon-reload";
    await host.run(["sh", "-c", `${install} && systemctl enable nftables.service`], { stdin: lateService });
    await host.reboot({ how: "power" });
    await waitUntil("the gate", 10_000, async () => (await listGate(host)) === old);
    expect(await host.ruleset()).toContain("table inet filter");
    expect(host.console()).not.toMatch(/ordering cycle/i);
    expect(await isActive(host)).toBe("active");
  });
}

describe.concurrent("a host whose saved iptables rules replace all there are", () => {
  const policy = makePolicy({ backend: "iptables" });

  async function claimSaved(lab: Lab): Promise<BootedHost> {
    const [host] = await gateBooted(lab, policy);
    const save = "mkdir -p /etc/iptables && tee /etc/iptables/rules.v4 >/etc/iptables/rules.v6";
    await host.run(["sh", "-c", save], { stdin: savedRules });
    await host.run(["systemctl", "enable", "--now", "netfilter-persistent.service"]);
    await waitForBoth(host);
    return host;
  }

  async function waitForBoth(host: BootedHost): Promise<void> {
    for (const tool of ["iptables-save", "ip6tables-save"]) {
      await waitUntil(`the gate and the saved rules in ${tool}`, 10_000, async () => {
        const { stdout } = await host.run([tool, "-t", "filter"]);
        return stdout.includes("-j kg_edge") && stdout.includes("--dport 8080 -j ACCEPT");
      });
    }
  }

  test("boots with both", async ({ lab }) => {
    const host = await claimSaved(lab);
    await host.reboot({ how: "power" });
    await waitForBoth(host);
    expect(await isLetIn("outside", host)).toBe(false);
    expect(await isLetIn("outside", host, oldSteps)).toBe(true);
  });

  if (isDeep) {
    test("has the gate back after netfilter-persistent restarts", async ({ lab }) => {
      const host = await claimSaved(lab);
      await host.run(["systemctl", "restart", "netfilter-persistent.service"]);
      await waitForBoth(host);
      expect(await isLetIn("outside", host)).toBe(false);
    });
  }
});

/** The kernel numbers tables, so a table that was loaded anew has another number. */
async function findHandle(host: BootedHost): Promise<string> {
  const listing = ["nft", "-a", "-t", "list", "table", "inet", "knockgate_edge"];
  const { stdout } = await host.run(listing, { check: false });
  return /^table .* # handle (\d+)/.exec(stdout)?.[1] ?? "";
}
