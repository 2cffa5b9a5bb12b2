import { describe, expect, test } from "vitest";
import { changeHost } from "../../../src/change/change";
import { deployTo, waitUntil } from "../host/deployment";
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
import { recordResult } from "./row";

const startFirewalld = `systemctl enable --now firewalld`;
const allowPort = `firewall-cmd --permanent --add-port=${allowedPort}/tcp && firewall-cmd --reload`;

async function openFirewalld(backend: "nftables" | "iptables"): Promise<Beside> {
  const beside: Beside = {
    ...(await openBeside("firewalls")),
    policy: makeShort(backend),
    neighbour: "firewalld",
    expectWork: async () => {
      expect((await beside.host.run(["firewall-cmd", "--state"])).stdout).toBe("running\n");
      expect(await answerOf(beside, allowedPort)).toBe("open");
      expect(await answerOf(beside, deniedPort)).toContain("EHOSTUNREACH");
      return "firewalld's zone still rejects a port and lets an allowed one through";
    },
  };
  return beside;
}

describe("a gate of nftables beside firewalld", () => {
  const row = (act: string) => findRow("firewalld", "nftables", act);

  test("stays closed when firewalld was there before it", async ({ onTestFinished }) => {
    const beside = await openFirewalld("nftables");
    onTestFinished(() => beside.lab.close());
    const { host, client } = beside;
    await host.run(["sh", "-c", `${startFirewalld} && ${allowPort}`]);
    expect(await change(beside, true)).not.toContain("warning");
    const play = (act: string, run: () => Promise<unknown>) => playAct(beside, { row: row(act), run });
    await play("reload", () => host.run(["firewall-cmd", "--reload"]));
    await play("complete-reload", () => host.run(["firewall-cmd", "--complete-reload"]));
    await play("restart", () => host.run(["systemctl", "restart", "firewalld"]));
    await play("panic", async () => {
      await host.run(["firewall-cmd", "--panic-on"]);
      expect(await isLetIn(client, host, oldSteps)).toBe(false);
      expect(await answerOf(beside, allowedPort)).toBe("silent");
      await host.run(["firewall-cmd", "--panic-off"]);
    });
    await play("reboot-before", () => host.reboot({ how: "clean" }));
  });

  test("stays closed when firewalld comes after it", async ({ onTestFinished }) => {
    const beside = await openFirewalld("nftables");
    onTestFinished(() => beside.lab.close());
    const { host } = beside;
    await change(beside, true);
    const play = (act: string, run: () => Promise<unknown>) => playAct(beside, { row: row(act), run });
    await play("start", () => host.run(["sh", "-c", `${startFirewalld} && ${allowPort}`]));
    await play("reboot-after", () => host.reboot({ how: "clean" }));
  });

  test("stays closed when firewalld takes the place of nftables.service", async ({ onTestFinished }) => {
    const beside = await openFirewalld("nftables");
    onTestFinished(() => beside.lab.close());
    const { host } = beside;
    const unit = ["systemctl", "is-active", "knockgate-edge.service"];
    const isActive = async () => (await host.run(unit, { check: false })).stdout === "active\n";
    await host.run(["systemctl", "enable", "--now", "nftables"]);
    await change(beside, true);
    const play = (act: string, run: () => Promise<unknown>) => playAct(beside, { row: row(act), run });
    await play("instead-of-nftables", () => host.run(["sh", "-c", `${startFirewalld} && ${allowPort}`]));
    await waitUntil("an active unit", 10_000, isActive);
    // The two services exclude each other, and both are enabled.
    await playAct(beside, {
      row: row("reboot-with-nftables"),
      run: () => host.reboot({ how: "clean" }),
      expectWork: async () => {
        const ask = "for unit in nftables firewalld; do ! systemctl -q is-active $unit || echo $unit; done";
        const active = (await host.run(["sh", "-c", ask])).stdout.trim().split("\n");
        expect(active).toHaveLength(1);
        return `systemd starts only ${active[0]}.service of the two, because they exclude each other`;
      },
    });
    await waitUntil("an active unit", 10_000, isActive);
  });
});

describe("a gate of iptables beside firewalld", () => {
  const row = (act: string) => findRow("firewalld", "iptables", act);
  const unfit = {
    code: "HOST_UNFIT",
    message: expect.stringMatching(/firewalld empties iptables' tables.*Nothing was changed/s),
  };

  test("is refused, and one that was there first changes to nftables", async ({ onTestFinished }) => {
    const beside = await openFirewalld("iptables");
    onTestFinished(() => beside.lab.close());
    const { host, client, lab, policy } = beside;
    const list = async () => (await host.run(["iptables-save"])).stdout.replace(/\[.*\]|^#.*/gm, "");
    await host.run(["sh", "-c", `${startFirewalld} && ${allowPort}`]);
    const before = await list();
    await expect(change(beside, true)).rejects.toMatchObject(unfit);
    expect(await list()).toBe(before);
    expect(await isLetIn(client, host)).toBe(true);
    const versions = await askVersions(beside);
    recordResult(row("first"), {
      versions,
      result: "refused with `HOST_UNFIT`; nothing was changed, and the message says to use nftables",
    });

    await host.run(["systemctl", "disable", "--now", "firewalld"]);
    await change(beside, true);
    expect(await isLetIn(client, host)).toBe(false);
    await host.run(["sh", "-c", startFirewalld]);
    // firewalld is up before its rules are.
    await waitUntil("rules of firewalld alone", 20_000, async () => isLetIn(client, host));
    const gone = "gone: the kernel has nothing of this policy";
    expect(await listDrift(lab, host, policy)).toEqual([expect.stringContaining(gone)]);
    recordResult(row("start"), {
      versions,
      result:
        "firewalld's start emptied iptables' tables, so the gate was open until the next change; a refresh says that it is gone",
    });

    await expect(change(beside)).rejects.toMatchObject(unfit);
    const other = makeShort("nftables");
    const context = await deployTo(lab, host);
    await changeHost({ policy: other, owner: "me", undoAfterSeconds: 60, formerPolicies: [policy] }, context);
    await waitUntil("a closed gate", 20_000, async () => !(await isLetIn(client, host)));
    expect(await isLetIn(client, host, oldSteps)).toBe(true);
    expect(await listDrift(lab, host, other)).toEqual([]);
    recordResult(row("next"), {
      versions,
      result:
        "refused with `HOST_UNFIT` while the backend is iptables; with `backend: nftables` the gate is closed again",
    });
  });
});
