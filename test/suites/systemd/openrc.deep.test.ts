import { describe, expect, vi } from "vitest";
import type { BootedHost } from "../../../lab/booted-host";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import { deployTo, waitUntil } from "../host/deployment";
import { confirmedFiles, findTimers, isLetIn, listGate } from "../host/inspection";
import { leavePending } from "../host/pending";
import { newPolicy, newSteps, oldPolicy, oldSteps } from "../host/policies";
import { declareTokens, deploy, horizonSlots, listSlots, observe, spend } from "../host/token-host";
import { initRow, openrcFlushRow } from "../hosts/init-rows";
import { recordResult } from "../hosts/row";
import { askVersions } from "../hosts/versions";
import { findBooted, gateBooted, testOpenrc as test, watchSsh } from "./booted";
import { listEverything, listLibrary } from "./listing";

const first = { policy: oldPolicy, owner: "me", undoAfterSeconds: 60 };
const update = { ...first, policy: newPolicy, formerPolicies: [oldPolicy] };

/** A service like Alpine's and Gentoo's: it flushes all tables. */
const flushingService = `#!/sbin/openrc-run
depend() { before net; }
start() { nft flush ruleset && nft add table inet filter; }
stop() { nft flush ruleset; }
`;

vi.setConfig({ maxConcurrency: 4 });

const askTools = (host: BootedHost) => askVersions(host, ["openrc --version", "nft --version"]);

describe.concurrent("a host with OpenRC", () => {
  const enableFlushing = (host: BootedHost, runlevel: string) =>
    host.run(
      [
        "sh",
        "-c",
        `cat >$1 && chmod 0755 $1 && rc-update add nftables ${runlevel}`,
        "sh",
        "/etc/init.d/nftables",
      ],
      {
        stdin: flushingService,
      },
    );

  test("says so, and that a service loads the ruleset at boot", async ({ lab }) => {
    const context = await deployTo(lab, findBooted(lab));
    await changeHost(first, context);
    expect(context.lines[0]).toContain(", OpenRC, no confirmed ruleset");
    expect(context.lines.at(-1)).toContain("is loaded at boot by an OpenRC service");
  });

  test.for(["clean", "power"] as const)(
    "has its gate before anything answers from outside (%s)",
    async (how, { lab }) => {
      const [host, old] = await gateBooted(lab);
      await host.run(["sed", "-i", "s/^\tebegin/\tsleep 2\\n&/", "/etc/init.d/knockgate-edge"]);
      await host.run(["nft", "flush", "set", "inet", "knockgate_edge", "ssh_open_v4"]);
      const watch = watchSsh("outside", host);
      await host.reboot({ how });
      const dropped = ["nft", "list", "counter", "inet", "knockgate_edge", "ssh_dropped"];
      await waitUntil("a packet that the gate dropped", 10_000, async () => {
        return !(await host.run(dropped)).stdout.includes("packets 0");
      });
      const { silent = 0, unreachable: _, ...answers } = await watch.stop();
      expect(answers).toEqual({});
      expect(silent).toBeGreaterThan(20);
      expect(await listGate(host)).toBe(old);
      expect(await isLetIn("outside", host, oldSteps)).toBe(true);
      const { stdout } = await host.run(["rc-status", "--all"]);
      expect(stdout).toMatch(/knockgate-edge +\[ +started/);
      expect(stdout).toMatch(/knockgate-edge\.late +\[ +started/);
      recordResult(initRow("openrc", "boot"), {
        versions: await askTools(host),
        result: "The gate was there before the network: nobody was answered without the knock",
      });
    },
  );

  test.for(["boot", "default"])(
    "boots with the gate although a firewall in runlevel %s flushes it",
    async (runlevel, { lab }) => {
      const [host, old] = await gateBooted(lab);
      await enableFlushing(host, runlevel);
      await host.reboot({ how: "clean" });
      await waitUntil("the gate", 10_000, async () => (await listGate(host)) === old);
      expect(await host.ruleset()).toContain("table inet filter");
      expect(await isLetIn("outside", host)).toBe(false);
      await host.run(["rc-service", "nftables", "restart"]);
      await host.run(["rc-service", "knockgate-edge", "restart"]);
      expect(await listGate(host)).toBe(old);
      recordResult(openrcFlushRow, {
        versions: await askTools(host),
        result:
          "The gate was there after the boot. After a restart of that service, `rc-service knockgate-<policy> restart` brought it back",
      });
    },
  );

  test("has the old ruleset after a reboot in the middle of a change, and in time without a reboot", async ({
    lab,
  }) => {
    const [host, old] = await gateBooted(lab);
    await leavePending(newPolicy, oldPolicy, 600, await deployTo(lab, host));
    await host.reboot({ how: "power" });
    expect(await listGate(host)).toBe(old);
    expect(await isLetIn("outside", host, oldSteps)).toBe(true);
    const versions = await askTools(host);
    recordResult(initRow("openrc", "armed"), { versions, result: "The host came back with its old ruleset" });
    await leavePending(newPolicy, oldPolicy, 10, await deployTo(lab, host));
    expect(await findTimers(host)).toHaveLength(1);
    await host.run(["rc-service", "ssh", "restart"]);
    await waitUntil("the old ruleset", 30_000, async () => (await listGate(host)) === old);
    recordResult(initRow("openrc", "undo"), { versions, result: "The host undid the change itself" });
    await changeHost(update, await deployTo(lab, host));
    expect(await isLetIn("outside", host, newSteps)).toBe(true);
    expect(await listLibrary(host)).toEqual(confirmedFiles);
  });

  test("keeps unspent tokens over a clean reboot, and brings no spent one back", async ({ lab }) => {
    const host = findBooted(lab);
    const policy = declareTokens();
    await deploy(host, policy);
    expect((await observe(host, policy)).isFillMissing).toBeUndefined();
    const [now = 0] = await listSlots(host, policy);
    await spend(host, policy, now + 2);
    // The first slot may end meanwhile, and another one begin.
    const list = async () => {
      const slots = await listSlots(host, policy);
      return slots.filter((slot) => slot > now && slot <= now + horizonSlots);
    };
    const left = await list();
    await host.reboot({ how: "clean" });
    expect(await list()).toEqual(left);
    await host.reboot({ how: "power" });
    expect(await list()).toEqual([]);
    expect((await listSlots(host, policy))[0]).toBeGreaterThan(now + horizonSlots);
  });

  test("is left without a trace, and one with a read-only folder is refused", async ({ lab }) => {
    const host = findBooted(lab);
    const before = await listEverything(host, ["/etc", "/var/lib"]);
    await changeHost(first, await deployTo(lab, host));
    await host.reboot({ how: "clean" });
    await removeFromHost(oldPolicy, "me", await deployTo(lab, host));
    const after = await listEverything(host, ["/etc", "/var/lib"]);
    expect(after).toBe(before);
    expect(await host.ruleset()).toBe("");
    expect((await host.run(["rc-status", "--all"])).stdout).not.toContain("knockgate");
    await host.reboot({ how: "clean" });
    expect(await isLetIn("outside", host)).toBe(true);
    recordResult(initRow("openrc", "removed"), {
      versions: await askTools(host),
      result: "No file, service or table was left, and the host boots as before",
    });
    await host.run([
      "sh",
      "-c",
      "mount --bind /etc/init.d /etc/init.d && mount -o remount,bind,ro /etc/init.d",
    ]);
    await expect(changeHost(first, await deployTo(lab, host))).rejects.toMatchObject({
      code: "HOST_UNFIT",
      message: expect.stringContaining("/etc/init.d can't be written"),
    });
    expect(await listEverything(host, ["/etc", "/var/lib"])).toBe(after);
  });
});
