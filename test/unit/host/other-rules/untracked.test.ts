import { describe, expect, test } from "vitest";
import { listLateHandshakes } from "../../../../src/host/late-handshakes";
import type { Observed } from "../../../../src/host/observed";
import { listUntracked } from "../../../../src/host/other-rules/untracked";
import type { PolicyInput } from "../../../../src/policy/policy";
import { edge, readPolicy } from "../../policy/read-policy";

const [gate] = edge.gates;
if (gate === undefined) throw new Error("a policy without a gate");
const vpn: PolicyInput = {
  ...edge,
  gates: [{ ...gate, name: "vpn", protect: [{ udp: "51820" }, { tcp: "22" }] }],
};

function observe(more: Partial<Observed>): Observed {
  const host: Partial<Observed> = { tables: "", ...more };
  return host as Observed;
}

/** As `nft -j list ruleset` lists a rule that ends in notrack. */
function listing(...matches: readonly (readonly [string, string, unknown])[]): string {
  const expr = matches.map(([protocol, field, right]) => ({
    match: { op: "==", left: { payload: { protocol, field } }, right },
  }));
  const rule = { family: "inet", table: "fast", chain: "early", expr: [...expr, { notrack: null }] };
  return JSON.stringify({ nftables: [{ metainfo: {} }, { rule }] });
}

describe("what keeps a gate's ports from conntrack", () => {
  test.each([
    listing(["udp", "dport", 51_820]),
    listing(["udp", "sport", 51_820]),
    listing(["udp", "dport", { set: [53, { range: [51_000, 52_000] }] }]),
    listing(["th", "dport", 51_820]),
    listing(),
  ])("is found in the tables of nft: %s", (tables) => {
    expect(listUntracked(observe({ tables }), readPolicy(vpn))).toEqual([
      expect.stringMatching(/^chain inet fast early keeps UDP port 51820 of gate vpn from conntrack: .*cut/),
    ]);
  });

  test.each([
    "-A PREROUTING -p udp -m udp --dport 51820 -j NOTRACK",
    "-A PREROUTING -p udp -m multiport --dports 53,51000:52000 -j CT --notrack",
    "-A PREROUTING -i eth0 -j CT --notrack",
  ])("is found in iptables' table raw: %s", (untracked) => {
    expect(listUntracked(observe({ untracked }), readPolicy(vpn))).toEqual([
      expect.stringMatching(/^iptables' chain raw PREROUTING keeps UDP port 51820 of gate vpn /),
    ]);
  });

  test("is ignored for other ports, and for TCP without stealth: only a SYN is gated then", () => {
    const none = [
      { tables: listing(["udp", "dport", 53]), untracked: "-A OUTPUT -p udp -m udp --sport 53 -j NOTRACK" },
      { tables: listing(["tcp", "dport", 51_820]), untracked: "-A PREROUTING -p icmp -j NOTRACK" },
      { tables: "no JSON", untracked: "" },
    ];
    for (const more of none) expect(listUntracked(observe(more), readPolicy(vpn))).toEqual([]);
    const host = observe({ tables: listing(["tcp", "dport", 22]) });
    expect(listUntracked(host, readPolicy(vpn))).toEqual([]);
    expect(listUntracked(host, readPolicy({ ...vpn, stealth: true }))).toEqual([
      expect.stringContaining("keeps TCP port 22 of gate vpn"),
    ]);
  });
});

test.each([
  ["2", {}, 1],
  ["2", { stealth: true }, 0],
  ["2", { gates: [{ ...gate, protect: [{ udp: "53" }] }] }, 0],
  ["1", {}, 0],
  ["0", {}, 0],
  ["", {}, 0],
])("a host with net.ipv4.tcp_syncookies=%s and %o is warned of %i times", (synCookies, more, times) => {
  const found = listLateHandshakes(observe({ synCookies }), readPolicy({ ...edge, ...more }));
  expect(found).toHaveLength(times);
});
