import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { withoutCounts } from "../../../lab/nft-listing";
import { writePolicy } from "../../../src/policy/written-policy";
import { claimHost, connectionTo, deployTo, waitUntil } from "./deployment";
import { waitForNoTimer } from "./inspection";
import { type Given, type Managed, manage } from "./managed";
import { leavePending } from "./pending";
import { makePolicy, type Particulars } from "./policies";

const sshSteps = [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 39_003 }];
const webSteps = [{ udp: 41_101 }, { tcp: 52_102 }, { udp: 36_103 }];
const otherSteps = [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 33_104 }];
const secrets = /47001|58002|39003|41101|52102|36103|33104/;
const webPort = 8_443;
const systemd = readFileSync(join(__dirname, "systemd-stub.sh"), "utf8");

vi.setConfig({ maxConcurrency: 20 });

/** All output so far. */
let printed = "";
beforeAll(() => {
  vi.spyOn(console, "log").mockImplementation((...words) => {
    printed += `${words.join(" ")}\n`;
  });
});
afterAll(() => {
  vi.restoreAllMocks();
  expect(printed).not.toMatch(secrets);
});

function twoGates(backend: string, steps = sshSteps, more: Particulars = {}, web = webSteps) {
  const gates = [
    { name: "ssh", protect: [{ tcp: "22" }], knock: { steps } },
    { name: "web", protect: [{ tcp: `${webPort}` }], knock: { steps: web } },
  ];
  return makePolicy({ backend: backend as "nftables", gates, ...more });
}

/** What happens to a host, and what a refresh says about it. */
type Case = readonly [string, string, RegExp];

const onNftables: readonly Case[] = [
  [
    "a rule was deleted",
    "nft flush chain inet knockgate_edge ssh_door",
    /^changed outside: chain ssh_door: - .*accept$/,
  ],
  [
    "a rule was added",
    "nft insert rule inet knockgate_edge ssh_door tcp dport 22 accept",
    /^changed outside: chain ssh_door: \+ tcp dport 22 accept$/,
  ],
  [
    "all rules of the host were flushed",
    "nft flush ruleset",
    /^gone: the kernel has nothing of this policy;/,
  ],
  ["its files were deleted", "rm -r /var/lib/knockgate", /^gone: the host's files of this policy/],
  [
    "all of it was deleted",
    "nft delete table inet knockgate_edge; rm -r /var/lib/knockgate",
    /^gone: the host has nothing of this policy any more$/,
  ],
  [
    "its unit was disabled",
    "systemctl disable knockgate-edge.service",
    /^not at boot: the host's service knockgate-edge is /,
  ],
  ["its unit was deleted", "rm /etc/systemd/system/knockgate-edge.service", /^not at boot: /],
];
const flush = "for f in F X; do iptables -$f; ip6tables -$f; done";
const onIptables: readonly Case[] = [
  [
    "a rule was deleted in one family",
    "ip6tables -D kg_edge_new_conns -p tcp --dport 22 -j DROP",
    /^changed outside: ipv6: - -A kg_edge_new_conns .*--dport 22 -j DROP$/,
  ],
  [
    "the jump was deleted in one family",
    "ip6tables -D INPUT ! -i lo -j kg_edge",
    /^changed outside: ipv6: - -[AI] INPUT .*-j kg_edge$/,
  ],
  [
    "a rule was put before the gate's",
    "iptables -I INPUT -p tcp --dport 22 -j ACCEPT",
    /^preceding rule: IPv4 packets meet this rule before the gate: -A INPUT .*--dport 22 -j ACCEPT$/,
  ],
  ["all rules of the host were flushed", flush, /^gone: the kernel has nothing of this policy;/],
  ["its files were deleted", "rm -r /var/lib/knockgate", /^gone: the host's files of this policy/],
  ["all of it was deleted", `${flush}; rm -r /var/lib/knockgate`, /^gone: the host has nothing/],
];

describe.concurrent.each([
  { backend: "nftables", shell: "dash", cases: onNftables },
  { backend: "iptables", shell: "busybox", cases: onIptables },
] as const)("on a host with $backend and $shell", ({ backend, shell, cases }) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await openLab({ hosts: cases.length + 6, shell });
  });
  afterAll(() => lab?.close());

  async function claimGated(): Promise<{ host: LabHost; gate: Managed; given: Given }> {
    const host = claimHost(lab);
    const tools = "cd /usr/local/sbin && cat >systemctl && chmod 0755 systemctl && cp systemctl systemd-run";
    await host.run(["sh", "-c", `mkdir -p /run/systemd/system /run/systemd/stub && ${tools}`], {
      stdin: systemd,
    });
    const given = { connection: connectionTo(lab, host), policy: writePolicy(twoGates(backend)) };
    return { host, given, gate: await manage(given) };
  }

  async function listRules(host: LabHost): Promise<string> {
    const lists = ["nft -s -t list table inet knockgate_edge", "iptables-save", "ip6tables-save"];
    const { stdout } = await host.run(["sh", "-c", lists.join("; ")], { check: false });
    return withoutCounts(stdout).replace(/^#.*\n|\[\d+:\d+\]/gm, "");
  }

  test.each(cases)(
    "where %s, a refresh says so without a secret, and the next up repairs it",
    async (...args) => {
      const [, damage, said] = args;
      const { host, gate } = await claimGated();
      const before = await listRules(host);
      expect([await gate.refresh(), await gate.isDue()]).toEqual([[], false]);
      await host.run(["sh", "-c", damage]);
      expect(await gate.refresh()).toContainEqual(expect.stringMatching(said));
      expect(`${gate.state["drift"]}${gate.state["ruleset"]}`).not.toMatch(secrets);
      await gate.up();
      expect(gate.state["drift"]).toEqual([]);
      expect(
        await listRules(host).then((rules) => rules.replace(/^-A INPUT -p tcp .* -j ACCEPT\n/m, "")),
      ).toBe(before);
      expect([await gate.refresh(), await gate.isDue()]).toEqual([[], false]);
    },
  );

  test("where a change was undone by the host, a refresh says why, and the next up clears it", async () => {
    const { host, gate } = await claimGated();
    const before = await listRules(host);
    // Only the web gate's knock changes: with SSH's knock the refresh gets in while the change is pending.
    const [former, next] = [twoGates(backend), twoGates(backend, sshSteps, {}, [{ udp: 33_104 }])];
    await leavePending(next, former, 20, await deployTo(lab, host));
    expect(await gate.refresh()).toEqual([expect.stringMatching(/^pending: a change is armed/)]);
    expect(`${gate.state["ruleset"]}`).not.toMatch(secrets);
    await waitUntil("the old ruleset", 60_000, async () => (await listRules(host)) === before);
    await waitForNoTimer(host);
    expect(await gate.refresh()).toEqual([expect.stringMatching(/^undone: .*: not confirmed in time$/)]);
    await gate.up();
    expect([await gate.refresh(), await gate.isDue()]).toEqual([[], false]);
    expect(await listRules(host)).toBe(before);
  });

  test("where the state missed a confirmed change, a refresh says so, and shows no step of it", async () => {
    const { host, gate, given } = await claimGated();
    const stale = { id: gate.id, ...gate.state };
    await gate.up({ policy: writePolicy(twoGates(backend, otherSteps)) });
    const before = await listRules(host);
    // The stale state's knock no longer opens. The refresh gets in by a door that is still open.
    const behind = await manage({ ...given, policy: writePolicy(twoGates(backend, otherSteps)) }, stale);
    expect(await behind.refresh()).toEqual([expect.stringMatching(/^unknown change: /)]);
    expect(`${behind.state["drift"]}${behind.state["ruleset"]}`).not.toMatch(secrets);
    await behind.up();
    expect([await behind.refresh(), await behind.isDue()]).toEqual([[], false]);
    expect(await listRules(host)).toBe(before);
  });

  test("where another resource took the policy over, a refresh says so, and only adopt takes it back", async () => {
    const { host, gate, given } = await claimGated();
    const theirs = writePolicy(twoGates(backend, sshSteps, { allowFrom: ["192.0.2.0/24"] }));
    await expect(manage({ ...given, policy: theirs })).rejects.toMatchObject({ code: "OWNED_BY_ANOTHER" });
    expect(await gate.refresh()).toEqual([]);
    await manage({ ...given, policy: theirs, adopt: true });
    const before = await listRules(host);
    expect(await gate.refresh()).toEqual([expect.stringMatching(/^another owner: edge-/)]);
    await expect(gate.up()).rejects.toMatchObject({ code: "OWNED_BY_ANOTHER" });
    await gate.destroy();
    expect(await listRules(host)).toBe(before);
    await gate.up({ adopt: true });
    expect([await gate.refresh(), await gate.isDue({ adopt: true })]).toEqual([[], false]);
  });

  const drop = (rule: string) => `add table inet site
add chain inet site input { type filter hook input priority 20; policy accept; }
add rule inet site input ${rule}
`;

  test("where another firewall drops a port, up fails and names it until it is gone", async () => {
    const { host, gate } = await claimGated();
    await host.run(["nft", "-f", "-"], { stdin: drop(`tcp dport ${webPort} drop`) });
    const said = /blocked by: chain inet site input has a rule that drops TCP port 8443/i;
    expect(await gate.refresh()).toEqual([expect.stringMatching(said)]);
    await expect(gate.up()).rejects.toMatchObject({
      message: expect.stringMatching(said),
      code: "NOT_CONFIRMED",
    });
    expect(await gate.isDue()).toBe(true);
    await host.run(["nft", "delete", "table", "inet", "site"]);
    await gate.up();
    expect([await gate.refresh(), await gate.isDue()]).toEqual([[], false]);
  });

  test("where another firewall seems to drop a port, but the gate opens, the state remembers it", async () => {
    const { host, gate } = await claimGated();
    await host.run(["nft", "-f", "-"], { stdin: drop(`tcp dport ${webPort} ip saddr 192.0.2.0/24 drop`) });
    expect(await gate.refresh()).toHaveLength(1);
    await gate.up();
    expect(gate.state["obstacles"]).toEqual([`inet site input tcp ${webPort}`]);
    expect([await gate.refresh(), await gate.isDue()]).toEqual([[], false]);
  });
});
