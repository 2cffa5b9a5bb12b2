import { describe, expect, vi } from "vitest";
import type { BootedHost } from "../../../lab/booted-host";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import { deployTo } from "../host/deployment";
import { makePolicy, newPolicy, oldPolicy } from "../host/policies";
import { findBooted, isDeep, test } from "./booted";
import { listEverything } from "./listing";

const foreign =
  "table inet other { chain input { type filter hook input priority 0; tcp dport 9 drop; }; }\n";

vi.setConfig({ maxConcurrency: 4 });

describe.concurrent("removing a gate from a host with systemd", () => {
  const look = async (host: BootedHost) => ({
    files: await listEverything(host, ["/etc", "/var/lib"]),
    run: (await host.run(["find", "/run", "-name", "*knockgate*"])).stdout,
    ruleset: await host.ruleset(),
    iptables: (await host.run(["sh", "-c", "iptables-save; ip6tables-save"])).stdout,
    units: (await host.run(["systemctl", "list-units", "--all", "--plain", "knockgate*"])).stdout,
    processes: (await host.run(["sh", "-c", "ps -eo args | grep '[k]nockgate'"], { check: false })).stdout,
  });

  test.for<readonly [string, boolean]>([
    ["and nothing else is touched", false],
    ["also after a reboot", true],
  ])("leaves no unit, file, table or process: %s", async ([, reboots], { lab }) => {
    const host = findBooted(lab);
    await host.run(["nft", "-f", "-"], { stdin: foreign });
    const before = await look(host);
    const first = { policy: oldPolicy, owner: "me", undoAfterSeconds: 60 };
    await changeHost(first, await deployTo(lab, host));
    await changeHost({ ...first, policy: newPolicy, formerPolicies: [oldPolicy] }, await deployTo(lab, host));
    if (reboots) {
      await host.reboot({ how: "clean" });
      await host.run(["nft", "-f", "-"], { stdin: foreign });
    }
    await removeFromHost(newPolicy, "me", await deployTo(lab, host));
    expect(withoutCounters(await look(host))).toEqual(withoutCounters(before));
  });

  if (isDeep) {
    test.for(["input", "prerouting"] as const)(
      "leaves no chain of iptables (%s) and no entry of its lists",
      async (scope, { lab }) => {
        const host = findBooted(lab);
        await host.run(["iptables", "-A", "INPUT", "-p", "tcp", "--dport", "9", "-j", "DROP"]);
        await host.run(["ip6tables", "-A", "INPUT", "-p", "tcp", "--dport", "9", "-j", "DROP"]);
        const policy = makePolicy({ backend: "iptables", scope });
        await changeHost({ policy, owner: "me", undoAfterSeconds: 60 }, await deployTo(lab, host));
        await removeFromHost(policy, "me", await deployTo(lab, host));
        const { iptables, files } = await look(host);
        expect(iptables).not.toMatch(/kg_|recent/);
        expect(iptables.match(/--dport 9 -j DROP/g)).toHaveLength(2);
        expect(files).not.toMatch(/knockgate/);
        expect((await host.run(["sh", "-c", "ls /proc/net/xt_recent"], { check: false })).stdout).toBe("");
      },
    );
  }
});

function withoutCounters<T extends { readonly iptables: string }>(state: T): T {
  return { ...state, iptables: state.iptables.replace(/^#.*$|\[\d+:\d+\]/gm, "") };
}
