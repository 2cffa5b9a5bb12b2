import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, vi } from "vitest";
import type { BootedHost } from "../../../lab/booted-host";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import { deployTo, waitUntil } from "../host/deployment";
import { findTimers, isLetIn, listGate } from "../host/inspection";
import { leavePending } from "../host/pending";
import { newPolicy, oldPolicy, oldSteps } from "../host/policies";
import { findBooted, gateBooted, watchSsh, withBooted } from "../systemd/booted";
import { listEverything } from "../systemd/listing";
import { initRow } from "./init-rows";
import { recordResult } from "./row";
import { askVersions } from "./versions";

vi.setConfig({ maxConcurrency: 2, testTimeout: 600_000 });

/** What docs/boot.md tells the administrator of such a host to run. */
const line = (() => {
  const page = readFileSync(join(__dirname, "..", "..", "..", "docs", "boot.md"), "utf8");
  const [, found] = /```sh\n(\[ ! -e .* boot edge)\n```/.exec(page) ?? [];
  if (found === undefined) throw new Error("docs/boot.md has no line for other inits");
  return found;
})();

interface OtherInit {
  readonly name: "sysvinit" | "runit";
  /** The file that the administrator writes, its text, and the command that makes the init run it. */
  readonly file: string;
  readonly text: string;
  readonly enable: string;
  readonly restartSsh: readonly string[];
  /** Asks for the init's version. */
  readonly version: string;
}

const header = `#!/bin/sh
### BEGIN INIT INFO
# Provides:          knockgate
# Required-Start:    $local_fs
# Required-Stop:
# X-Start-Before:    networking
# Default-Start:     S
# Default-Stop:
### END INIT INFO
`;

const inits: readonly OtherInit[] = [
  {
    name: "sysvinit",
    file: "/etc/init.d/knockgate",
    text: `${header}${line}\n`,
    enable: "chmod 0755 /etc/init.d/knockgate && update-rc.d knockgate defaults",
    restartSsh: ["service", "ssh", "restart"],
    version: "init --version",
  },
  {
    name: "runit",
    file: "/etc/init.d/knockgate",
    text: `${header}${line}\n`,
    enable: "chmod 0755 /etc/init.d/knockgate && update-rc.d knockgate defaults",
    restartSsh: ["sv", "restart", "ssh"],
    version: "dpkg-query -W runit",
  },
];

describe.concurrent.each(inits)("a host with $name", ({ name, file, text, enable, restartSsh, version }) => {
  const test = withBooted(name);
  const askTools = (host: BootedHost) => askVersions(host, [version, "nft --version"]);

  const addLine = async (host: BootedHost, before = "") => {
    const stdin = text.replace(line, `${before}${line}`);
    await host.run(["sh", "-c", `cat >${file} && ${enable}`], { stdin });
  };

  test("has its gate before anything answers from outside", async ({ lab }) => {
    const context = await deployTo(lab, findBooted(lab));
    await changeHost({ policy: oldPolicy, owner: "me", undoAfterSeconds: 60 }, context);
    expect(context.lines.at(-1)).toContain("neither systemd nor OpenRC, so nothing loads it at boot until");
    const host = findBooted(lab);
    const old = await listGate(host);
    await addLine(host, "sleep 2\n");
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
        "With the line of boot.md the gate was there before the network: nobody was answered without the knock",
    });
  });

  test("has the old ruleset after a power cut in the middle of a change, and in time without one", async ({
    lab,
  }) => {
    const [host, old] = await gateBooted(lab);
    await addLine(host);
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

  test("is left without a trace, and boots with the line that is still there", async ({ lab }) => {
    const host = findBooted(lab);
    await addLine(host);
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
      result: "No file or table was left, and the host boots as before although the line is still there",
    });
  });
});
