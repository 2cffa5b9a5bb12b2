import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { waitUntil } from "../host/deployment";
import { isLetIn } from "../host/inspection";
import { listDrift } from "../host/look";
import { oldSteps } from "../host/policies";
import { answerOf, askVersions, type Beside, change, makeShort, openBeside, playAct } from "./beside";
import { findRow } from "./firewall-rows";
import { recordResult } from "./row";

const jail = `[sshd]
enabled = true
backend = polling
logpath = /var/log/sshd.log
`;
/** A source that is never a client of the test. */
const other = "192.0.2.9";

async function openFail2ban(backend: "nftables" | "iptables"): Promise<Beside> {
  const beside: Beside = {
    ...(await openBeside("firewalls")),
    policy: makeShort(backend),
    neighbour: "fail2ban",
    expectWork: async () => {
      await waitUntil("the ban of another source", 20_000, async () =>
        (await listBans(beside)).includes(other),
      );
      return "another source is banned all the time";
    },
  };
  await beside.host.run(["sh", "-c", "cat >/etc/fail2ban/jail.local"], { stdin: jail });
  return beside;
}

/** fail2ban's own rules in the kernel. */
async function listBans({ host }: Beside): Promise<string> {
  return (await host.run(["iptables-save"])).stdout.replace(/^(?!-A f2b).*\n/gm, "");
}

function setBan({ host }: Beside, verb: "banip" | "unbanip", source: string): Promise<unknown> {
  const wait = "until fail2ban-client status sshd >/dev/null 2>&1; do sleep 0.2; done";
  return host.run(["sh", "-c", `${wait}; fail2ban-client set sshd ${verb} ${source}`]);
}

describe.each(["nftables", "iptables"] as const)("a gate of %s beside fail2ban", (backend) => {
  const row = (act: string) => findRow("fail2ban", backend, act);

  test("lets nobody in who is banned, and fail2ban lets nobody in without a knock", async ({
    onTestFinished,
  }) => {
    const beside = await openFail2ban(backend);
    onTestFinished(() => beside.lab.close());
    const { host, client, lab, policy } = beside;
    await change(beside, true);
    await playAct(beside, {
      row: row("start"),
      run: async () => {
        await host.run(["systemctl", "enable", "--now", "fail2ban"]);
        await setBan(beside, "banip", other);
      },
    });

    const expectBanned = async () => {
      await waitUntil("the ban", 20_000, async () => (await listBans(beside)).includes(client.ipv4));
      await waitUntil("a closed door", 20_000, async () => (await answerOf(beside, 22)) !== "open");
      expect(await isLetIn(client, host, oldSteps).catch(() => false)).toBe(false);
      expect(await listDrift(lab, host, policy)).toEqual([]);
      return "the banned source is refused, with the right knock, too; no drift";
    };
    const record = async (act: string, result: string) =>
      recordResult(row(act), { versions: await askVersions(beside), result });

    await setBan(beside, "banip", client.ipv4);
    await record("ban", await expectBanned());
    await host.run(["systemctl", "restart", "fail2ban"]);
    await record("restart", await expectBanned());
    const lines = await change({ ...beside, policy: makeWider(backend) }, false, policy);
    expect(lines).not.toMatch(/drift|warning/);
    await change(beside, false, makeWider(backend));
    await record("change", `two changes of the policy; ${await expectBanned()}`);
    await host.reboot({ how: "clean" });
    await record("reboot", await expectBanned());
    // A knock opens the door of a banned source, too, though fail2ban keeps that out. Let it close.
    await sleep(7_000);
    await playAct(beside, {
      row: row("unban"),
      mayRefuse: true,
      run: () => setBan(beside, "unbanip", client.ipv4),
      expectWork: async () => `the source is let in again; ${await beside.expectWork()}`,
    });
  });
});

const makeWider = (backend: "nftables" | "iptables") =>
  makeShort(backend, { allowFrom: ["198.51.100.0/24"] });
