import { describe, expect, test } from "vitest";
import { readCounts } from "../../../src/backends/backends";
import { hasRisen } from "../../../src/host/counts";
import type { PolicyInput } from "../../../src/policy/policy";
import { readPolicy } from "../policy/read-policy";

const gate = (name: string, protect: PolicyInput["gates"][number]["protect"]) => ({
  name,
  protect,
  knock: { steps: [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 39_003 }] },
});
const gates = [
  gate("ssh", [{ tcp: "22" }]),
  gate("game-night", [{ udp: "2000-2009" }, { udp: "2010" }, { tcp: "2000" }]),
];

function makeCounter(name: string, packets: number): object {
  return { counter: { family: "inet", name, table: "knockgate_edge", handle: 7, packets, bytes: 1 } };
}

describe("the counters of nftables", () => {
  const policy = readPolicy({ name: "edge", gates });

  test("are read by gate, in any order, one that is missing as 0", () => {
    const nftables = [
      { metainfo: { version: "1.0.6", json_schema_version: 1 } },
      makeCounter("game-night_dropped", 5),
      makeCounter("ssh_dropped", 12),
      makeCounter("ssh_accepted", 3),
      makeCounter("ssh_opened", 99),
    ];
    expect(Object.fromEntries(readCounts(JSON.stringify({ nftables }), policy) ?? [])).toEqual({
      ssh: { accepted: 3, dropped: 12, opened: 99, reset: 0 },
      "game-night": { accepted: 0, dropped: 5, opened: 0, reset: 0 },
    });
  });

  test.each(["", "what?", "[]", '{"nftables": 1}'])("are not read from %j", (text) => {
    expect(readCounts(text, policy)).toBeUndefined();
  });
});

describe("the counters of iptables", () => {
  const door = (prefix: string, name: string) =>
    `-m recent --rcheck --seconds 30 --name kg_edge_${name}_open --mask 255.255.255.255 --rsource -j ${prefix}`;
  const lines = (passes: string) =>
    [
      "[900:1] -A kg_edge -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      `[3:180] -A kg_edge_new_conns -p tcp -m tcp --dport 22 ${door(passes, "ssh")}`,
      "[12:720] -A kg_edge_new_conns -p tcp -m tcp --dport 22 -j DROP",
      `[1:60] -A kg_edge_new_conns -p tcp -m tcp --dport 2000 ${door(passes, "game-night")}`,
      "[2:120] -A kg_edge_new_conns -p tcp -m tcp --dport 2000 -j DROP",
      `[10:60] -A kg_edge_new_conns -p udp -m udp --dport 2000:2010 ${door(passes, "game-night")}`,
      "[20:120] -A kg_edge_new_conns -p udp -m udp --dport 2000:2010 -j DROP",
      "[77:120] -A kg_edge_denied -p tcp -m tcp --dport 22 -j DROP",
      "[88:120] -A kg_edge_ssh_knock -p tcp -m tcp --dport 47001 -j RETURN",
      "[4:120] -A kg_edge_new_conns -p tcp -m tcp --dport 22 -j DROP",
    ]
      .map((line) => `${line}\n`)
      .join("");

  test.each([
    ["input", "ACCEPT"],
    ["prerouting", "RETURN"],
  ] as const)("are summed up by gate over both families at %s", (scope, passes) => {
    const policy = readPolicy({ name: "edge", gates, backend: "iptables", scope });
    expect(Object.fromEntries(readCounts(lines(passes), policy) ?? [])).toEqual({
      ssh: { accepted: 3, dropped: 16 },
      "game-night": { accepted: 11, dropped: 22 },
    });
  });

  test("are those of a gate's own chain where it has one", () => {
    const text = [
      `[5:1] -A kg_edge_ssh_door ${door("ACCEPT", "ssh")}\n`,
      '[9:1] -A kg_edge_ssh_door -m limit --limit 10/min -j LOG --log-prefix "knockgate ssh dropped "\n',
      "[7:1] -A kg_edge_ssh_door -j DROP\n",
    ].join("");
    const policy = readPolicy({ name: "edge", gates, backend: "iptables" });
    expect(readCounts(text, policy)?.get("ssh")).toEqual({ accepted: 5, dropped: 7 });
  });

  test("are those of the rules for single ports, and not of the rule that matches many gates' ports together", () => {
    const text = [
      "[99:1] -A kg_edge_new_conns -p tcp -m multiport --dports 22,2000 -g kg_edge_doors\n",
      `[3:180] -A kg_edge_doors -p tcp -m tcp --dport 22 ${door("ACCEPT", "ssh")}\n`,
      "[12:720] -A kg_edge_doors -p tcp -m tcp --dport 22 -j DROP\n",
      "[50:720] -A kg_edge_closed -p tcp -m tcp --dport 22 -j DROP\n",
    ].join("");
    const policy = readPolicy({ name: "edge", gates, backend: "iptables" });
    expect(readCounts(text, policy)?.get("ssh")).toEqual({ accepted: 3, dropped: 12 });
  });

  test("are not read from empty text", () => {
    expect(readCounts("", readPolicy({ name: "edge", gates, backend: "iptables" }))).toBeUndefined();
  });
});

test.each([
  [10, 12, 2, true],
  [10, 12, 3, false],
  [10, 10, 1, false],
])("from %i to %i has risen by %i: %s", (before, after, atLeast, expected) => {
  const counts = (dropped: number) => new Map([["ssh", { accepted: 0, dropped }]]);
  const [ssh] = readPolicy({ name: "edge", gates }).gates;
  expect(ssh && hasRisen("dropped", ssh, counts(before), counts(after), atLeast)).toBe(expected);
  expect(ssh && hasRisen("dropped", ssh, undefined, counts(after), atLeast)).toBe(false);
});
