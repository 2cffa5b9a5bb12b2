import { expect, test, vi } from "vitest";
import { openLab } from "../../../lab/lab";
import { removeFromHost } from "../../../src/change/remove";
import { deployTo, waitUntil } from "../host/deployment";
import { isLetIn, listGate } from "../host/inspection";
import { leavePending } from "../host/pending";
import { newPolicy, oldPolicy, oldSteps } from "../host/policies";
import { findBooted, gateBooted, watchSsh } from "../systemd/booted";
import { recordResult } from "./row";
import { socketRows } from "./sshd-rows";
import { askVersions } from "./versions";

vi.setConfig({ maxConcurrency: 2, testTimeout: 600_000 });

/** As an administrator switches a host over (README.Debian of openssh-server). */
const useSocket =
  "systemctl --quiet disable --now ssh.service; systemctl --quiet enable --now ssh.socket && systemctl is-active ssh.socket && ! systemctl is-active ssh.service";

test.concurrent.each(socketRows)("$on lives with a gate in front of ssh.socket", async (row) => {
  const lab = await openLab({ hosts: 0, bootedHosts: 1, bootedInit: row.suite, clients: 1 });
  try {
    const host = findBooted(lab);
    const [client] = lab.clients;
    if (client === undefined) throw new Error("no client");
    await host.run(["sh", "-c", useSocket]);
    const [, old] = await gateBooted(lab);
    expect(await isLetIn(client, host)).toBe(false);
    expect(await isLetIn(client, host, oldSteps)).toBe(true);

    await leavePending(newPolicy, oldPolicy, 10, await deployTo(lab, host));
    await host.run(["systemctl", "restart", "ssh.service"]);
    await waitUntil("the old ruleset", 90_000, async () => (await listGate(host)) === old);

    await leavePending(newPolicy, oldPolicy, 600, await deployTo(lab, host));
    await host.reboot({ how: "power" });
    expect(await listGate(host)).toBe(old);

    const watch = watchSsh("outside", host);
    await host.reboot({ how: "clean" });
    const dropped = ["nft", "list", "counter", "inet", "knockgate_edge", "ssh_dropped"];
    await waitUntil("a packet that the gate dropped", 60_000, async () => {
      return !(await host.run(dropped)).stdout.includes("packets 0");
    });
    const { silent = 0, unreachable: _, ...answers } = await watch.stop();
    expect(answers).toEqual({});
    expect(silent).toBeGreaterThan(5);
    expect(await isLetIn(client, host, oldSteps)).toBe(true);
    await host.run(["systemctl", "is-active", "ssh.socket", "knockgate-edge.service"]);

    await removeFromHost(oldPolicy, "me", await deployTo(lab, host));
    expect(await isLetIn(client, host)).toBe(true);
    recordResult(row, {
      versions: await askVersions(host, ["sshd -V", "systemctl --version", "nft --version"]),
      result:
        "The gate was there before the network, and nobody was answered without the knock; both undos put the old ruleset back; the socket went on as before",
    });
  } finally {
    await lab.close();
  }
});
