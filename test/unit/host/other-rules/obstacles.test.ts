import { describe, expect, test } from "vitest";
import { describeObstacle, findObstacles, type Obstacle } from "../../../../src/host/other-rules/obstacles";
import { readPolicy } from "../../policy/read-policy";

const steps = [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 39_003 }];
const policy = readPolicy({
  name: "edge",
  gates: [
    { name: "ssh", protect: [{ tcp: "22" }], knock: { steps } },
    { name: "vpn", protect: [{ udp: "51820-51830" }], knock: { steps } },
  ],
});

type Expression = Readonly<Record<string, unknown>>;

interface Table {
  readonly family?: string;
  readonly name?: string;
  readonly policy?: string;
  readonly hook?: string | undefined;
  /** Rules of the base chain. */
  readonly rules?: readonly (readonly Expression[])[];
  /** Rules of a chain that the base chain jumps to. */
  readonly further?: readonly (readonly Expression[])[];
}

/** As `nft -j list ruleset` says it (libnftables-json(5)). */
function list(...tables: readonly Table[]): string {
  const entries = tables.flatMap(({ family = "inet", name = "filter", hook = "input", ...more }) => {
    const at = { family, table: name };
    const base = {
      ...at,
      name: "input",
      handle: 1,
      type: "filter",
      hook,
      prio: 0,
      policy: more.policy ?? "accept",
    };
    return [
      { table: { family, name, handle: 1 } },
      { chain: base },
      { chain: { ...at, name: "further", handle: 2 } },
      ...(more.rules ?? []).map((expr) => ({ rule: { ...at, chain: "input", handle: 3, expr } })),
      ...(more.further === undefined
        ? []
        : [{ rule: { ...at, chain: "input", handle: 5, expr: [{ jump: { target: "further" } }] } }]),
      ...(more.further ?? []).map((expr) => ({ rule: { ...at, chain: "further", handle: 4, expr } })),
    ];
  });
  return JSON.stringify({
    nftables: [{ metainfo: { version: "1.0.6", json_schema_version: 1 } }, ...entries],
  });
}

function to(right: unknown, protocol = "tcp", op = "=="): Expression {
  return { match: { op, left: { payload: { protocol, field: "dport" } }, right } };
}

const accept = { accept: null };
const drop = { drop: null };
const established = {
  match: { op: "in", left: { ct: { key: "state" } }, right: ["established", "related"] },
};
const ssh = (why: Obstacle["why"], chain = "inet filter input"): Obstacle => {
  return { chain, protocol: "tcp", port: 22, why };
};
const vpn = (why: Obstacle["why"], chain = "inet filter input"): Obstacle => {
  return { chain, protocol: "udp", port: 51_820, why };
};

describe("another chain of the host", () => {
  test.each<readonly [string, Table, readonly Obstacle[]]>([
    ["that accepts by its policy is none", {}, []],
    ["that drops by its policy is one, for each gate", { policy: "drop" }, [ssh("policy"), vpn("policy")]],
    [
      "that drops by its policy and accepts other things is one",
      {
        policy: "drop",
        rules: [
          [established, accept],
          [to(80), accept],
          [to(22, "udp"), accept],
        ],
      },
      [ssh("policy"), vpn("policy")],
    ],
    [
      "that drops by its policy and accepts a port is none for that port",
      { policy: "drop", rules: [[to(22), accept]] },
      [vpn("policy")],
    ],
    [
      "that accepts a port in a chain it jumps to is none for that port",
      { policy: "drop", further: [[to(22), { counter: { packets: 1, bytes: 60 } }, accept]] },
      [vpn("policy")],
    ],
    ["with a rule that drops a port is one", { rules: [[to(22), drop]] }, [ssh("rule")]],
    ["with a rule that rejects a port is one", { rules: [[to(22), { reject: null }]] }, [ssh("rule")]],
    [
      "with a rule that drops another port is none",
      {
        rules: [
          [to(23), drop],
          [to(22, "udp"), drop],
        ],
      },
      [],
    ],
    ["with a rule that drops all but a port is none", { rules: [[to(22, "tcp", "!="), drop]] }, []],
    ["with a rule that only counts a port is none", { rules: [[to(22), { counter: null }]] }, []],
    ["with a set that holds a port is one", { rules: [[to({ set: [21, 22, 23] }), drop]] }, [ssh("rule")]],
    ["with a set that does not hold it is none", { rules: [[to({ set: [21, 23] }), drop]] }, []],
    ["with a range that holds a port is one", { rules: [[to({ range: [1, 1_023] }), drop]] }, [ssh("rule")]],
    ["with a range that ends before it is none", { rules: [[to({ range: [1, 21] }), drop]] }, []],
    [
      "with a range in a set that holds a port is one",
      { rules: [[to({ set: [80, { range: [20, 22] }] }), drop]] },
      [ssh("rule")],
    ],
    [
      "that names the port of any transport is one for both",
      { rules: [[to({ set: [22, 51_820] }, "th"), drop]] },
      [ssh("rule"), vpn("rule")],
    ],
    ["that drops what others send is none", { hook: "output", policy: "drop" }, []],
    ["that has no hook is none", { hook: undefined, policy: "drop" }, []],
    [
      "that is Knockgate's own is none",
      { name: "knockgate_edge", policy: "drop", rules: [[to(22), drop]] },
      [],
    ],
    ["that is another policy's own is none", { name: "knockgate_other", rules: [[to(22), drop]] }, []],
    [
      "of iptables in the kernel's nftables is one as well",
      { family: "ip", policy: "drop" },
      [ssh("policy", "ip filter input"), vpn("policy", "ip filter input")],
    ],
  ])("%s", (_, table, obstacles) => {
    // JSON has no undefined, so this chain is not a base chain.
    const json =
      "hook" in table && table.hook === undefined ? list(table).replace(/"hook":"input",/, "") : list(table);
    expect(findObstacles({ tables: json }, policy)).toEqual(obstacles);
  });

  test("is found in each table separately: another table can still drop what one accepts", () => {
    const open = {
      name: "open",
      policy: "drop",
      rules: [
        [to(22), accept],
        [to(51_820, "udp"), accept],
      ],
    };
    const shut = { name: "shut", rules: [[to(22), drop]] };
    expect(findObstacles({ tables: list(open, shut) }, policy)).toEqual([ssh("rule", "inet shut input")]);
    const same = { family: "ip", name: "open", policy: "drop" };
    expect(findObstacles({ tables: list(open, same) }, policy)).toEqual([
      ssh("policy", "ip open input"),
      vpn("policy", "ip open input"),
    ]);
  });
});

test.each([
  ["nothing", ""],
  ["no JSON", "Error: syntax error"],
  ["half of it", list({ policy: "drop" }).slice(0, -10)],
  ["null", "null"],
  ["a list", "[]"],
  ["no list of objects", '{"nftables": {}}'],
  ["an empty list", '{"nftables": []}'],
  ["objects of no known kind", '{"nftables": [{}, {"flowtable": 1}]}'],
  ["a chain of another shape", '{"nftables": [{"chain": {"name": 7}}]}'],
  [
    "rules whose parts are no objects",
    list({ rules: [[null, 7, "drop", [drop]] as unknown as Expression[]] }),
  ],
])("a listing that is %s shows no obstacle, and does not fail", (_, json) => {
  expect(findObstacles({ tables: json }, policy)).toEqual([]);
});

test.each<readonly [Obstacle, string]>([
  [
    ssh("policy"),
    "chain inet filter input drops TCP port 22 by its policy, and no rule of its table accepts the port: let it accept the port, which Knockgate guards",
  ],
  [
    vpn("rule"),
    "chain inet filter input has a rule that drops UDP port 51820: let it accept the port, which Knockgate guards",
  ],
])("an obstacle is reported with chain, port and remedy: %j", (obstacle, words) => {
  expect(describeObstacle(obstacle)).toBe(words);
});

// Other programs' tables may hold anything, in any words of this nft.
test("finds an obstacle among unexpected entries, and in several texts", () => {
  const drops = {
    chain: { family: "ip", table: "x", name: "in", hook: "input", policy: "drop", prio: "filter" },
  };
  const odd = [
    7,
    null,
    { chain: 7 },
    { chain: { family: 1 } },
    { rule: { expr: "xt" } },
    { set: { flags: "interval" } },
  ];
  const texts = [JSON.stringify({ nftables: odd }), '{"nftables": [{', JSON.stringify({ nftables: [drops] })];
  expect(findObstacles({ tables: texts.join("\n") }, policy).map(({ chain }) => chain)).toEqual([
    "ip x in",
    "ip x in",
  ]);
});
