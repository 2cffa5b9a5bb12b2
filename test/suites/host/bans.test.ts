import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { changeHost } from "../../../src/change/change";
import { claimHost, deployTo } from "./deployment";
import { listDrift } from "./look";
import { makePolicy, newSteps } from "./policies";

/** As fail2ban's action iptables-multiport makes them. */
const bans = `iptables -N f2b-sshd
iptables -A f2b-sshd -s 192.0.2.9 -j REJECT --reject-with icmp-port-unreachable
iptables -A f2b-sshd -j RETURN
iptables -I INPUT -p tcp -m multiport --dports 22 -j f2b-sshd
`;
const accepting = `iptables -N friends
iptables -A friends -s 192.0.2.8 -j ACCEPT
iptables -A INPUT -p tcp -j friends
`;

describe.each(["dash", "busybox"] as const)("a gate of iptables on a host with bans, and %s", (shell) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: 1, shell });
  });
  afterAll(() => lab?.close());

  test("goes behind them with each change, and before a rule that accepts", async () => {
    const host = claimHost(lab);
    await host.run(["sh", "-c", bans + accepting]);
    const [old, next] = [
      makePolicy({ backend: "iptables" }),
      makePolicy({ backend: "iptables", steps: newSteps }),
    ];
    const request = { owner: "me", undoAfterSeconds: 60 };
    await changeHost({ ...request, policy: old }, await deployTo(lab, host));
    expect(await listTargets(host)).toEqual(["f2b-sshd", "kg_edge", "friends"]);
    expect(await listDrift(lab, host, old)).toEqual([]);
    await changeHost({ ...request, policy: next, formerPolicies: [old] }, await deployTo(lab, host));
    expect(await listTargets(host)).toEqual(["f2b-sshd", "kg_edge", "friends"]);
    await host.run(["sh", "-c", "iptables -F INPUT; iptables -I INPUT -p tcp -j f2b-sshd"]);
    await host.run(["sh", "/var/lib/knockgate/edge/host.sh", "boot", "edge"]);
    expect(await listTargets(host)).toEqual(["f2b-sshd", "kg_edge"]);

    await host.run(["iptables", "-A", "f2b-sshd", "-s", "192.0.2.7", "-j", "ACCEPT"]);
    expect(await listDrift(lab, host, next)).toEqual([
      expect.stringMatching(/^preceding rule: .* -j f2b-sshd$/),
    ]);
    await changeHost({ ...request, policy: next, formerPolicies: [next] }, await deployTo(lab, host));
    expect(await listTargets(host)).toEqual(["kg_edge", "f2b-sshd"]);
  });
});

/** Where the rules of INPUT lead, in order. */
async function listTargets(host: LabHost): Promise<readonly string[]> {
  const { stdout } = await host.run(["iptables", "-S", "INPUT"]);
  return [...stdout.matchAll(/^-A .* -j (\S+)$/gm)].map(([, target = ""]) => target);
}
