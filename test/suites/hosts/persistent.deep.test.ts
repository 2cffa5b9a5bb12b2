import { describe, expect, test } from "vitest";
import { isLetIn } from "../host/inspection";
import { listDrift } from "../host/look";
import { oldSteps } from "../host/policies";
import {
  allowedPort,
  answerOf,
  askVersions,
  type Beside,
  change,
  deniedPort,
  makeShort,
  openBeside,
  playAct,
} from "./beside";
import { findRow } from "./firewall-rows";
import { type HostRow, recordResult } from "./row";

const savedRules = `*filter
:INPUT ACCEPT [0:0]
-A INPUT -p tcp -m tcp --dport ${deniedPort} -j DROP
COMMIT
`;

const configuration = `#!/usr/sbin/nft -f
flush ruleset
table inet filter {
	chain input {
		type filter hook input priority filter; policy accept;
		tcp dport ${deniedPort} drop
	}
}
`;

async function openService(neighbour: string, backend: "nftables" | "iptables"): Promise<Beside> {
  const beside: Beside = {
    ...(await openBeside("systemd")),
    policy: makeShort(backend),
    neighbour: neighbour === "nftables.service" ? "nftables" : neighbour,
    expectWork: async () => {
      expect(await answerOf(beside, deniedPort)).toBe("silent");
      expect(await answerOf(beside, allowedPort)).toBe("open");
      return "its own rules still drop a port";
    },
  };
  return beside;
}

/** A command of its own, of which systemd knows nothing, empties iptables' tables. */
async function expectGone(beside: Beside, row: HostRow): Promise<void> {
  const { lab, host, client, policy } = beside;
  await host.run(["netfilter-persistent", "reload"]);
  expect(await isLetIn(client, host)).toBe(true);
  const gone = expect.stringContaining("gone: the kernel has nothing of this policy");
  expect(await listDrift(lab, host, policy)).toEqual([gone]);
  expect(await change(beside)).toContain("drift: gone");
  expect(await isLetIn(client, host)).toBe(false);
  expect(await isLetIn(client, host, oldSteps)).toBe(true);
  expect(await listDrift(lab, host, policy)).toEqual([]);
  recordResult(row, {
    versions: await askVersions(beside),
    result: `the gate was open until the next change: the command empties iptables' tables, and no event tells of it. ${await beside.expectWork()}; a refresh says that the gate is gone, and the next change repaired it`,
  });
}

describe.each(["nftables", "iptables"] as const)("a gate of %s", (backend) => {
  // Both flush a gate of iptables, and nothing holds it meanwhile.
  const mayOpen = backend === "iptables";

  test("is there again after each act of netfilter-persistent", async ({ onTestFinished }) => {
    const beside = await openService("netfilter-persistent", backend);
    onTestFinished(() => beside.lab.close());
    const { host } = beside;
    await change(beside, true);
    const save = "mkdir -p /etc/iptables && tee /etc/iptables/rules.v4 >/etc/iptables/rules.v6";
    await host.run(["sh", "-c", save], { stdin: savedRules });
    const play = (act: string, run: () => Promise<unknown>) =>
      playAct(beside, { row: findRow("netfilter-persistent", backend, act), run, mayOpen });
    await play("start", () => host.run(["systemctl", "enable", "--now", "netfilter-persistent"]));
    await play("restart", () => host.run(["systemctl", "restart", "netfilter-persistent"]));
    if (backend === "nftables") await play("reload", () => host.run(["netfilter-persistent", "reload"]));
    else await expectGone(beside, findRow("netfilter-persistent", backend, "reload"));
    await play("save", () =>
      host.run(["sh", "-c", "netfilter-persistent save && systemctl restart netfilter-persistent"]),
    );
    await play("reboot", () => host.reboot({ how: "clean" }));
  });

  test("is there again after each act of nftables.service", async ({ onTestFinished }) => {
    const beside = await openService("nftables.service", backend);
    onTestFinished(() => beside.lab.close());
    const { host } = beside;
    await change(beside, true);
    await host.run(["sh", "-c", "cat >/etc/nftables.conf"], { stdin: configuration });
    const play = (act: string, run: () => Promise<unknown>) =>
      playAct(beside, { row: findRow("nftables.service", backend, act), run, mayOpen });
    await play("start", () => host.run(["systemctl", "enable", "--now", "nftables"]));
    await play("restart", () => host.run(["systemctl", "restart", "nftables"]));
    await play("reload", () => host.run(["systemctl", "reload", "nftables"]));
    await play("reboot", () => host.reboot({ how: "clean" }));
  });
});
