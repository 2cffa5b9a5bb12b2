import { describe, expect, test } from "vitest";
import type { BootedHost } from "../../../lab/booted-host";
import {
  allowedPort,
  answerOf,
  type Beside,
  change,
  deniedPort,
  makeShort,
  openBeside,
  playAct,
} from "./beside";
import { findRow } from "./firewall-rows";

async function enableUfw(host: BootedHost): Promise<void> {
  const rules = `ufw allow 22/tcp && ufw allow ${allowedPort}/tcp && ufw deny ${deniedPort}/tcp`;
  await host.run(["sh", "-c", `${rules} && ufw --force enable && systemctl enable --now ufw`]);
}

async function openUfw(backend: "nftables" | "iptables"): Promise<Beside> {
  const opened = await openBeside("firewalls");
  const beside: Beside = {
    ...opened,
    policy: makeShort(backend),
    neighbour: "ufw",
    expectWork: async () => {
      expect(await answerOf(beside, allowedPort)).toBe("open");
      expect(await answerOf(beside, deniedPort)).toBe("silent");
      expect((await beside.host.run(["ufw", "status"])).stdout).toContain("Status: active");
      return "ufw still drops a denied port and lets an allowed one through";
    },
  };
  return beside;
}

describe.each(["nftables", "iptables"] as const)("a gate of %s beside ufw", (backend) => {
  test("stays closed when ufw was there before it", async ({ onTestFinished }) => {
    const beside = await openUfw(backend);
    onTestFinished(() => beside.lab.close());
    const { host } = beside;
    await enableUfw(host);
    expect(await change(beside, true)).not.toContain("warning");
    const play = (act: "reload" | "restart" | "again" | "reboot-before", run: () => Promise<unknown>) =>
      playAct(beside, { row: findRow("ufw", backend, act), run });
    await play("reload", () => host.run(["ufw", "reload"]));
    await play("restart", () => host.run(["systemctl", "restart", "ufw"]));
    await play("again", () => host.run(["sh", "-c", "ufw disable && ufw --force enable"]));
    await play("reboot-before", () => host.reboot({ how: "clean" }));
  });

  test("stays closed when ufw comes after it", async ({ onTestFinished }) => {
    const beside = await openUfw(backend);
    onTestFinished(() => beside.lab.close());
    const { host } = beside;
    await change(beside, true);
    await playAct(beside, { row: findRow("ufw", backend, "start"), run: () => enableUfw(host) });
    await playAct(beside, {
      row: findRow("ufw", backend, "reboot-after"),
      run: () => host.reboot({ how: "clean" }),
    });
  });
});
