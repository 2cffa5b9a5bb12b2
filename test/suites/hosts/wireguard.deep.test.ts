import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { BootedHost } from "../../../lab/booted-host";
import { runCommand } from "../../../lab/command";
import { placeMachine } from "../../../lab/machine";
import { sendKnock } from "../../../lab/packets";
import { waitUntil } from "../host/deployment";
import { listDrift } from "../host/look";
import { makePolicy } from "../host/policies";
import {
  allowedPort,
  answerOf,
  askVersions,
  type Beside,
  change,
  makeShort,
  openBeside,
  playAct,
} from "./beside";
import { findRow } from "./firewall-rows";
import { recordResult } from "./row";
import { farAddress, openTunnel, type Tunnel, tunnelPort } from "./tunnel";

const restart = ["systemctl", "restart", "wg-quick@wg0"];

describe.each(["nftables", "iptables"] as const)("a gate of %s and WireGuard", (backend) => {
  test("SSH that is reached through the tunnel is gated there", async ({ onTestFinished }) => {
    const opened = await openBeside("firewalls");
    onTestFinished(() => opened.lab.close());
    const tunnel = await openTunnel(opened.lab, opened.host, true);
    onTestFinished(() => tunnel.close());
    const host: BootedHost = Object.create(opened.host, { ipv4: { value: farAddress } });
    const deployer = { name: "deployer", pid: process.pid } as Parameters<typeof placeMachine>[0];
    const beside: Beside = {
      lab: opened.lab,
      host,
      client: placeMachine(deployer, opened.lab.outside),
      policy: makeShort(backend),
      neighbour: "wireguard-go",
      expectWork: async () => {
        expect(await answerOf(beside, allowedPort)).toBe("open");
        return "the tunnel passes packets to a port that is not gated";
      },
    };
    const isUp = async () => (await answerOf(beside, allowedPort)) === "open";
    await waitUntil("the tunnel", 60_000, isUp);
    await change(beside, true);
    const play = (act: string, run: () => Promise<unknown>) =>
      playAct(beside, {
        row: findRow("WireGuard", backend, act),
        run: async () => {
          await run();
          await waitUntil("the tunnel", 60_000, isUp);
        },
      });
    await play("front-first", () => sleep(1_000));
    await play("front-restart", () => host.run(restart));
    await play("front-reboot", () => host.reboot({ how: "clean" }));
  });

  test("the tunnel itself opens by a knock only", async ({ onTestFinished }) => {
    const opened = await openBeside("firewalls");
    onTestFinished(() => opened.lab.close());
    const { lab, host } = opened;
    const steps = [{ tcp: 61_001 }, { udp: 51_002 }, { tcp: 36_103 }];
    const gate = { name: "vpn", protect: [{ udp: `${tunnelPort}` }], knock: { steps }, openForSeconds: 5 };
    const policy = makePolicy({ backend, gates: [gate] });
    const beside: Beside = { ...opened, policy, neighbour: "wireguard-go", expectWork: async () => "" };
    const tunnel = await openTunnel(lab, host, false);
    onTestFinished(() => tunnel.close());
    await waitUntil("the tunnel without a gate", 60_000, passes);
    await change(beside, true);
    expect(await passes()).toBe(true);

    const play = async (act: string, run: () => Promise<unknown>) => {
      await run();
      await expectGated(tunnel);
      expect(await listDrift(lab, host, policy)).toEqual([]);
      expect(await change(beside)).toContain("nothing to change");
      recordResult(findRow("WireGuard", backend, act), {
        versions: await askVersions(beside),
        result:
          "no handshake without the knock; with it the tunnel passes packets, and goes on when the door is closed; no drift",
      });
    };
    await play("behind-first", () => Promise.resolve());
    await play("behind-restart", () => host.run(restart));
    await play("behind-reboot", () => host.reboot({ how: "clean" }));

    async function expectGated(one: Tunnel): Promise<void> {
      await sleep(7_000); // the deployer has knocked, too
      await one.reconnect(); // the kernel would know the old port's packets as a connection
      // A handshake is tried again after 5 s.
      for (const _ of [1, 2, 3]) expect(await passes()).toBe(false);
      await sendKnock("outside", { to: host.ipv4, steps });
      await one.reconnect();
      await waitUntil("the tunnel after a knock", 5_000, passes);
      await sleep(6_000);
      expect(await passes()).toBe(true);
    }
  });
});

/** Whether a packet comes back through the tunnel within 2 s. */
async function passes(): Promise<boolean> {
  const { code } = await runCommand(["busybox", "ping", "-c", "1", "-W", "2", farAddress], { check: false });
  return code === 0;
}
