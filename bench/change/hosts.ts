import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { LabHost } from "../../lab/host";
import type { Lab } from "../../lab/lab";
import { planLoad } from "../../src/backends/load";
import { changeHost } from "../../src/change/change";
import type { Policy } from "../../src/policy/policy";
import { connectionTo, openDeployment } from "../../test/suites/host/deployment";
import { makePolicy } from "../../test/suites/host/policies";
import type { SlowLink } from "../hosts/slow-link";
import { type BarePush, pushByOpenSsh, pushBySsh2 } from "./bare";
import { startIdleClock } from "./idle";
import { stepsOf, type Target, writeSshConfig } from "./target";

/** Three SYNs: the knock that is quickest to send. */
export const gatePolicies = [
  [47_001, 58_002, 39_003],
  [41_101, 52_102, 36_103],
].map((ports) => makePolicy({ steps: ports.map((tcp) => ({ tcp })) })) as [Policy, Policy];

/** Changes a host of its own again and again, in one way. */
export interface Changer {
  readonly name: string;
  /** A slow way to the host. The lab's own network is fast. */
  readonly link: SlowLink;
  /** Brings the host back to its state before the first change. */
  clear(): Promise<void>;
  /** Makes the next change over a link. Returns the milliseconds in which it only waited for the gate's silence. */
  change(way: Way): Promise<number>;
}

export type Way = "near" | "far";

export const ours = "Knockgate";
export const floors = { ssh2: "floor, ssh2", openSsh: "floor, OpenSSH" } as const;

/** Gives each way to change a host one of the lab's first three hosts. */
export function openChangers(lab: Lab, links: readonly SlowLink[], directory: string): readonly Changer[] {
  return [ours, floors.ssh2, floors.openSsh].map((name, index) => {
    const [host, link] = [lab.hosts[index], links[index]];
    if (host === undefined || link === undefined) throw new Error("too few hosts");
    const own = join(directory, `changer${index + 1}`);
    mkdirSync(own);
    return makeChanger(name, lab, host, link, own);
  });
}

function makeChanger(name: string, lab: Lab, host: LabHost, link: SlowLink, directory: string): Changer {
  const targets = Object.fromEntries(
    (["near", "far"] as const).map((way) => {
      const address = way === "near" ? host.ipv4 : link.address;
      return [way, { name: way, address, hostKey: host.hostKey, privateKey: lab.privateKey }];
    }),
  ) as Record<Way, Target>;
  const config = writeSshConfig(directory, [targets.near, targets.far]);
  let former: Policy | undefined;
  const pushBare = (way: Way, policy: Policy) => {
    const text = planLoad(policy, undefined, "127.0.0.1").text;
    const before = former === undefined ? [] : stepsOf(former);
    const push: BarePush = { text, before, after: stepsOf(policy) };
    return name === floors.ssh2 ? pushBySsh2(targets[way], push) : pushByOpenSsh(targets[way], push, config);
  };
  const changeOurs = async (way: Way, policy: Policy) => {
    const clock = startIdleClock();
    const connection = connectionTo(lab, host, { host: targets[way].address });
    const context = await openDeployment(connection, clock.wrap);
    const formerPolicies = former === undefined ? [] : [former];
    await changeHost({ policy, formerPolicies, owner: "bench", undoAfterSeconds: 60 }, context);
    return clock.idleMs;
  };
  return {
    name,
    link,
    clear: async () => {
      former = undefined;
      const clearing = "nft flush ruleset; rm -rf /var/lib/knockgate";
      await host.run(["sh", "-c", clearing]);
    },
    change: async (way) => {
      const policy = gatePolicies[former === gatePolicies[0] ? 1 : 0];
      let waitedMs = 0;
      if (name === ours) waitedMs = await changeOurs(way, policy);
      else await pushBare(way, policy);
      former = policy;
      return waitedMs;
    },
  };
}
