import { expect, test, vi } from "vitest";
import { openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import type { Policy } from "../../../src/policy/policy";
import { deployTo } from "../host/deployment";
import { isLetIn } from "../host/inspection";
import { listDrift } from "../host/look";
import { makePolicy, newSteps, oldSteps } from "../host/policies";
import { findBooted } from "./booted";

const request = { owner: "me", undoAfterSeconds: 60 };
const suites = ["bullseye", "systemd", "trixie", "sid"] as const; // "systemd" is Debian 12
const cases = suites.flatMap((suite) =>
  (["nftables", "iptables"] as const).map((backend) => [suite, backend] as const),
);

vi.setConfig({ maxConcurrency: 2 });

test.concurrent.each(cases)(
  "%s boots with its gate of %s, before and after an update",
  async (suite, backend) => {
    const lab = await openLab({ hosts: 0, bootedHosts: 1, bootedInit: suite, clients: 1 });
    try {
      const host = findBooted(lab);
      const [client] = lab.clients;
      if (client === undefined) throw new Error("no client");
      const old = makePolicy({ backend });
      const changed = makePolicy({ backend, steps: newSteps });
      const change = async (policy: Policy, formerPolicies: readonly Policy[]) =>
        changeHost({ ...request, policy, formerPolicies }, await deployTo(lab, host));
      await change(old, []);
      await host.reboot({ how: "power" });
      expect(await isLetIn(client, host)).toBe(false);
      expect(await isLetIn(client, host, oldSteps)).toBe(true);
      expect(await listDrift(lab, host, old)).toEqual([]);
      await change(changed, [old]);
      await host.reboot({ how: "clean" });
      expect(await isLetIn(client, host)).toBe(false);
      expect(await isLetIn(client, host, newSteps)).toBe(true);
      expect(await listDrift(lab, host, changed)).toEqual([]);
      await removeFromHost(changed, "me", await deployTo(lab, host));
      expect(await isLetIn(client, host)).toBe(true);
    } finally {
      await lab.close();
    }
  },
);
