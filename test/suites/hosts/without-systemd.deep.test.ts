import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, vi } from "vitest";
import type { BootedHost } from "../../../lab/booted-host";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import { deployTo, waitUntil } from "../host/deployment";
import { findTimers, isLetIn, listGate } from "../host/inspection";
import { leavePending } from "../host/pending";
import { makePolicy, newPolicy, oldPolicy, oldSteps } from "../host/policies";
import { declareTokens, deploy, horizonSlots, listSlots, spend } from "../host/token-host";
import { findBooted, gateBooted, watchSsh, withBooted } from "../systemd/booted";
import { listEverything } from "../systemd/listing";
import { flusherRows, initRow } from "./init-rows";
import { recordResult } from "./row";
import { askVersions } from "./versions";

vi.setConfig({ maxConcurrency: 2, testTimeout: 600_000 });

/** What docs/boot.md tells the administrator of such a host to do. */
const page = readFileSync(join(__dirname, "..", "..", "..", "docs", "boot.md"), "utf8");
const [, script = ""] = /```sh\n(#!\/bin\/sh\n[\s\S]* "\$does" edge\n)```/.exec(page) ?? [];
const [, file = "", enable = ""] =
  /Put this into `([^`]+)`, with one line for each policy, and run\n`([^`]+)`/.exec(page) ?? [];

interface OtherInit {
  readonly name: "sysvinit" | "runit";
  readonly restartSsh: readonly string[];
  /** Asks for the init's version. */
  readonly version: string;
}

const inits: readonly OtherInit[] = [
  { name: "sysvinit", restartSsh: ["service", "ssh", "restart"], version: "init --version" },
  { name: "runit", restartSsh: ["sv", "restart", "ssh"], version: "dpkg-query -W runit" },
];

describe.concurrent.each(inits)("a host with $name", ({ name, restartSsh, version }) => {
  const test = withBooted(name);
  const askTools = (host: BootedHost) => askVersions(host, [version, "nft --version"]);

  const addScript = async (host: BootedHost, before = "") => {
    const stdin = script.replace(/^\[ ! -e /m, `${before}$&`);
    await host.run(["sh", "-c", `cat >${file} && ${enable}`], { stdin });
  };

  test("has its gate before anything answers from outside", async ({ lab }) => {
    const context = await deployTo(lab, findBooted(lab));
    await changeHost({ policy: oldPolicy, owner: "me", undoAfterSeconds: 60 }, context);
    expect(context.lines.at(-1)).toContain("neither systemd nor OpenRC, so nothing loads it at boot until");
    const host = findBooted(lab);
    const old = await listGate(host);
    await addScript(host, "sleep 2\n");
    for (const how of ["clean", "power"] as const) {
      await host.run(["nft", "flush", "set", "inet", "knockgate_edge", "ssh_open_v4"]);
      const watch = watchSsh("outside", host);
      await host.reboot({ how });
      const dropped = ["nft", "list", "counter", "inet", "knockgate_edge", "ssh_dropped"];
      await waitUntil("a packet that the gate dropped", 60_000, async () => {
        return !(await host.run(dropped)).stdout.includes("packets 0");
      });
      const { silent = 0, unreachable: _, ...answers } = await watch.stop();
      expect([how, answers]).toEqual([how, {}]);
      expect(silent).toBeGreaterThan(5);
      expect(await listGate(host)).toBe(old);
      expect(await isLetIn("outside", host)).toBe(false);
      expect(await isLetIn("outside", host, oldSteps)).toBe(true);
    }
    recordResult(initRow(name, "boot"), {
      versions: await askTools(host),
      result:
        "With the script of boot.md the gate was there before the network: nobody was answered without the knock",
    });
  });

  test("has the old ruleset after a power cut in the middle of a change, and in time without one", async ({
    lab,
  }) => {
    const [host, old] = await gateBooted(lab);
    await addScript(host);
    const versions = await askTools(host);
    await leavePending(newPolicy, oldPolicy, 600, await deployTo(lab, host));
    await host.reboot({ how: "power" });
    expect(await listGate(host)).toBe(old);
    expect(await isLetIn("outside", host, oldSteps)).toBe(true);
    recordResult(initRow(name, "armed"), { versions, result: "The host came back with its old ruleset" });
    await leavePending(newPolicy, oldPolicy, 20, await deployTo(lab, host));
    expect(await findTimers(host)).toHaveLength(1);
    await host.run(restartSsh);
    expect(await findTimers(host)).toHaveLength(1);
    await waitUntil("the old ruleset", 90_000, async () => (await listGate(host)) === old);
    recordResult(initRow(name, "undo"), { versions, result: "The host undid the change itself" });
  });

  test("keeps unspent tokens over a clean reboot", async ({ lab }) => {
    const host = findBooted(lab);
    const policy = declareTokens();
    await deploy(host, policy);
    await addScript(host);
    const [now = 0] = await listSlots(host, policy);
    await spend(host, policy, now + 2);
    const list = async () => {
      const slots = await listSlots(host, policy);
      return slots.filter((slot) => slot > now && slot <= now + horizonSlots);
    };
    const left = await list();
    await host.reboot({ how: "clean" });
    expect(await list()).toEqual(left);
  });

  test("is left without a trace, and boots with the script that is still there", async ({ lab }) => {
    const host = findBooted(lab);
    await addScript(host);
    const before = await listEverything(host, ["/etc", "/var/lib"]);
    await gateBooted(lab);
    await host.reboot({ how: "clean" });
    expect(await isLetIn("outside", host)).toBe(false);
    await removeFromHost(oldPolicy, "me", await deployTo(lab, host));
    expect(await host.ruleset()).toBe("");
    const own = (listing: string) => listing.split("\n").filter((entry) => entry.includes("knockgate"));
    expect(own(await listEverything(host, ["/etc", "/var/lib"]))).toEqual(own(before));
    await host.reboot({ how: "clean" });
    expect(await isLetIn("outside", host)).toBe(true);
    recordResult(initRow(name, "removed"), {
      versions: await askTools(host),
      result: "No file or table was left, and the host boots as before although the script is still there",
    });
  });

  test("is refused with iptables while it starts a firewall that flushes iptables' tables", async ({
    lab,
  }) => {
    const host = findBooted(lab);
    const enableFerm = "cat >/etc/init.d/ferm && chmod 0755 /etc/init.d/ferm && update-rc.d ferm defaults";
    const stdin = script.replace("knockgate\n", "ferm\n").replace(/^\[ ! -e .*/m, ":");
    await host.run(["sh", "-c", enableFerm], { stdin });
    const before = await host.ruleset();
    const policy = makePolicy({ backend: "iptables" });
    await expect(
      changeHost({ policy, owner: "me", undoAfterSeconds: 60 }, await deployTo(lab, host)),
    ).rejects.toMatchObject({
      code: "HOST_UNFIT",
      message: expect.stringMatching(
        /ferm empties iptables' tables at each reload.*Nothing was changed on the host/s,
      ),
    });
    expect(await host.ruleset()).toBe(before);
    const row = flusherRows.find(({ init }) => init === name);
    if (row === undefined) throw new Error("no row");
    recordResult(row, {
      versions: await askVersions(host, [version, "iptables --version"]),
      result: "Refused (`HOST_UNFIT`) before anything is changed",
    });
  });
});
