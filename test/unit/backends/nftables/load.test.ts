import { describe, expect, test } from "vitest";
import type { LoadedTable, ObservedSet } from "../../../../src/backends/backend";
import { planLoad } from "../../../../src/backends/load";
import { lowerForBackend, renderPolicy } from "../../../../src/backends/render";
import type { Policy, PolicyInput } from "../../../../src/policy/policy";
import { readPolicy } from "../../policy/read-policy";
import { describeTable } from "../loaded-table";

const client = "198.51.100.7";
const ssh = gate("ssh", "22", [7_000, 8_000, 9_000]);
const web = gate("web", "443", [7_001, 8_001]);
const wanted = read([ssh]);
const loaded = describeTable(lowerForBackend(wanted));

describe("a load that replaces", () => {
  test("clears the table in the same transaction, whether there is one or not", () => {
    expect(planLoad(wanted, undefined, client)).toEqual({
      kind: "replace",
      dependsOnLoaded: false,
      text: `add table inet knockgate_edge\ndelete table inet knockgate_edge\n${renderPolicy(wanted)}`,
    });
  });

  test.each<readonly [string, LoadedTable]>([
    ["the base chain is at another priority", withInput({ priority: 0 })],
    ["the base chain is at another hook", withInput({ hook: "forward" })],
    ["the base chain lost its hook", withInput({ hook: undefined, priority: undefined })],
    ["there is no base chain", { ...loaded, chains: loaded.chains.filter(({ name }) => name !== "input") }],
    ["another chain of ours has a hook", withChain("new_connections", { hook: "input", priority: -300 })],
    ["a set has another key", withSet("ssh_open_v4", { type: "ipv4_addr . inet_service" })],
    ["a set is of the other family", withSet("ssh_step1_v6", { type: "ipv4_addr" })],
    ["a set has another size", withSet("ssh_open_v6", { size: 128 })],
    ["nft did not tell what is in the table", { ...loaded, isUndescribed: true }],
    ["the base chain has a priority that is no number", withInput({ priority: Number.NaN })],
    ["a set has no size", withSet("ssh_open_v6", { size: undefined })],
    ["a set forgets nothing", withSet("ssh_open_v4", { flags: ["dynamic"] })],
    ["the base chain is at the other scope's hook", withInput({ hook: "prerouting", priority: -110 })],
    ["a counter is not ours to quote", { ...loaded, counters: [...loaded.counters, "a b"] }],
    ["a chain is not ours to quote", { ...loaded, chains: [...loaded.chains, { name: "a;b" }] }],
    ["a set is not ours to quote", { ...loaded, sets: [...loaded.sets, set('x"y', "ipv4_addr")] }],
    [
      "a set has another size than the policy's limit",
      describeTable(lowerForBackend(readPolicy({ name: "edge", gates: [ssh], limits: { sources: 512 } }))),
    ],
    [
      "a name holds a line break",
      { ...loaded, chains: [...loaded.chains, { name: "a\ndelete table inet x" }] },
    ],
  ])("is planned where %s", (_, table) => {
    expect(planLoad(wanted, table, client)).toEqual(planLoad(wanted, undefined, client));
  });

  test("is planned where a progress set now keeps packets", () => {
    const other = read([gate("ssh", "22", [7_000, 7_000, 8_000])]);
    const lowered = lowerForBackend(other);
    const packets = lowered.sets.map((each) =>
      each.key === "packet" ? { ...each, key: "source" as const } : each,
    );
    expect(planLoad(other, describeTable({ ...lowered, sets: packets }), client).kind).toBe("replace");
  });
});

describe("a load that refills", () => {
  test("flushes the rules, forgets all progress, fills in the rules, and closes the deployer's own door", () => {
    const table = "inet knockgate_edge";
    expect(planLoad(wanted, loaded, client)).toEqual({
      kind: "refill",
      dependsOnLoaded: true,
      text: [
        `flush table ${table}`,
        ...["v4", "v6"].map((family) => `flush set ${table} mid_knock1_${family}`),
        ...["step1_v4", "step1_v6", "step2_v4", "step2_v6", "rate_v4", "rate_v6"].map((name) => {
          return `flush set ${table} ssh_${name}`;
        }),
        `${renderPolicy(wanted)}add element ${table} ssh_open_v4 { ${client} }`,
        `delete element ${table} ssh_open_v4 { ${client} }`,
        "",
      ].join("\n"),
    });
  });

  test.each<readonly [string, Policy]>([
    ["the steps' ports", read([gate("ssh", "22", [1_000, 2_000, 3_000])])],
    ["the times", read([{ ...ssh, openForSeconds: 7, knock: { ...ssh.knock, stepTimeoutSeconds: 3 } }])],
    ["strictness", read([{ ...ssh, knock: { ...ssh.knock, strict: false } }])],
    ["the protected ports", read([gate("ssh", "2200-2222", [7_000, 8_000, 9_000])])],
    ["allowFrom", readPolicy({ name: "edge", gates: [ssh], allowFrom: ["192.0.2.0/24"] })],
    ["nothing", wanted],
  ])("is planned where %s changed", (_, policy) => {
    const load = planLoad(policy, loaded, client);
    expect(load.kind).toBe("refill");
    expect(load.text).toContain(renderPolicy(policy));
    expect(load.text).not.toMatch(/^delete (table|chain|set)|^flush set .*_open/m);
  });

  test("is planned also when nft lists the flag dynamic of a set, as later versions do", () => {
    const sets = loaded.sets.map((each) => ({ ...each, flags: ["dynamic", "timeout"] }));
    expect(planLoad(wanted, { ...loaded, sets }, client)).toEqual(planLoad(wanted, loaded, client));
  });

  test("adds a gate, and flushes only sets that are there", () => {
    const lines = commandsOf(planLoad(read([ssh, web]), loaded, client).text);
    expect(lines.filter((line) => line.startsWith("flush set")).map(lastWord)).toEqual([
      "ssh_step1_v4",
      "ssh_step1_v6",
      "ssh_step2_v4",
      "ssh_step2_v6",
      "ssh_rate_v4",
      "ssh_rate_v6",
    ]);
    expect(
      lines.filter((line) => line.startsWith("delete element")).map((line) => line.split(" ")[4]),
    ).toEqual(["ssh_open_v4"]);
  });

  // nft before 1.0 does not find a set by a name that the same transaction declares, and crashes at one in a table's
  // block.
  test("declares only what is new, in lines of their own before the table's block", () => {
    const { text } = planLoad(read([ssh, web]), loaded, client);
    const flat = text.slice(0, text.indexOf("table inet knockgate_edge {")).split("\n");
    const table = "inet knockgate_edge";
    expect(flat.filter((line) => line.startsWith("add "))).toEqual([
      ...["opened", "accepted", "dropped", "reset"].map((event) => `add counter ${table} web_${event}`),
      ...["v4", "v6"].map((family) => `add set ${table} mid_knock2_${family} ${shape(family, 196_608)}`),
      ...["step1", "open"].flatMap((role) =>
        ["v4", "v6"].map((family) => `add set ${table} web_${role}_${family} ${shape(family, 65_536)}`),
      ),
      ...["v4", "v6"].map((family) => `add set ${table} web_rate_${family} ${shape(family, 65_536, 10)}`),
    ]);
    expect(planLoad(wanted, loaded, client).text).not.toMatch(/^add (set|counter)/m);
  });

  test("deletes the chains, then the sets, and then the counters of a gate that is gone", () => {
    const lines = commandsOf(planLoad(wanted, describeTable(lowerForBackend(read([ssh, web]))), client).text);
    expect(lines.filter((line) => /^delete (chain|set|counter)/.test(line))).toEqual([
      "delete chain inet knockgate_edge web_door",
      "delete chain inet knockgate_edge web_sequence",
      "delete chain inet knockgate_edge web_first_step",
      "delete set inet knockgate_edge mid_knock2_v4",
      "delete set inet knockgate_edge mid_knock2_v6",
      "delete set inet knockgate_edge web_step1_v4",
      "delete set inet knockgate_edge web_step1_v6",
      "delete set inet knockgate_edge web_open_v4",
      "delete set inet knockgate_edge web_open_v6",
      "delete set inet knockgate_edge web_rate_v4",
      "delete set inet knockgate_edge web_rate_v6",
      ...["opened", "accepted", "dropped", "reset"].map((event) => {
        return `delete counter inet knockgate_edge web_${event}`;
      }),
    ]);
    expect(lines.some((line) => line.startsWith("flush set") && line.includes("web"))).toBe(false);
  });

  test("deletes the sets of steps that are gone, and what somebody else put into the table", () => {
    const foreign: LoadedTable = {
      ...loaded,
      sets: [...loaded.sets, set("theirs", "inet_service", ["interval"])],
      chains: [...loaded.chains, { name: "theirs", hook: "output", priority: 0 }],
    };
    const lines = commandsOf(planLoad(read([gate("ssh", "22", [7_000])]), foreign, client).text);
    expect(lines.filter((line) => /^delete (chain|set)/.test(line)).map(lastWord)).toEqual([
      ...["mid_knock", "sequences", "ssh_sequence", "theirs", "mid_knock1_v4", "mid_knock1_v6"],
      "ssh_step1_v4",
      "ssh_step1_v6",
      "ssh_step2_v4",
      "ssh_step2_v6",
      "theirs",
    ]);
  });

  test("has the right order: flush, delete, fill, close", () => {
    const order = commandsOf(
      planLoad(wanted, describeTable(lowerForBackend(read([ssh, web]))), client).text,
    ).map((line) => {
      return line.split(" ").slice(0, 2).join(" ");
    });
    expect([...new Set(order)]).toEqual([
      "flush table",
      "delete chain",
      "delete set",
      "delete counter",
      "flush set",
      "add set",
      "table inet",
      "add element",
      "delete element",
    ]);
  });

  test.each([
    ["198.51.100.7", "v4"],
    ["2001:db8::7", "v6"],
  ])("closes the door of a deployer at %s in the set of its family", (address, family) => {
    const { text } = planLoad(wanted, loaded, address);
    expect(text.split("\n").slice(-3)).toEqual([
      `add element inet knockgate_edge ssh_open_${family} { ${address} }`,
      `delete element inet knockgate_edge ssh_open_${family} { ${address} }`,
      "",
    ]);
  });
});

type GateInput = PolicyInput["gates"][number];

function gate(name: string, tcp: string, ports: readonly number[]): GateInput {
  return { name, protect: [{ tcp }], knock: { steps: ports.map((port) => ({ tcp: port })) } };
}

function read(gates: readonly GateInput[]): Policy {
  return readPolicy({ name: "edge", gates: [...gates] });
}

function set(name: string, type: string, flags: readonly string[] = ["timeout"]): ObservedSet {
  return { name, type, size: 65_536, flags };
}

function withSet(name: string, change: Partial<ObservedSet>): LoadedTable {
  return { ...loaded, sets: loaded.sets.map((each) => (each.name === name ? { ...each, ...change } : each)) };
}

function withChain(name: string, change: Partial<LoadedTable["chains"][number]>): LoadedTable {
  return {
    ...loaded,
    chains: loaded.chains.map((each) => (each.name === name ? { ...each, ...change } : each)),
  };
}

function withInput(change: Partial<LoadedTable["chains"][number]>): LoadedTable {
  return withChain("input", change);
}

function shape(family: string, size: number, timeoutSeconds?: number): string {
  const address = family === "v4" ? "ipv4_addr" : "ipv6_addr";
  const timeout = timeoutSeconds === undefined ? "" : ` timeout ${timeoutSeconds}s;`;
  return `{ type ${address}; size ${size}; flags dynamic,timeout;${timeout} }`;
}

/** The lines outside of the table's block, and the block's first line. */
function commandsOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => /^[a-z]/.test(line));
}

function lastWord(line: string): string | undefined {
  return line.split(" ").at(-1);
}
