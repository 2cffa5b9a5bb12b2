import { describe, expect, test } from "vitest";
import type { LoadedTable } from "../../../../src/backends/backend";
import { planLoad } from "../../../../src/backends/load";
import { renderPolicy } from "../../../../src/backends/render";
import type { Policy, PolicyInput } from "../../../../src/policy/policy";
import { readPolicy } from "../../policy/read-policy";

const client = "198.51.100.7";
const ssh = gate("ssh", "22", [7_000, 6_000, 9_000]);
const web = gate("web", "443", [7_001, 6_001]);
const wanted = read([ssh]);

const lists = ["mid_knock", "ssh_step1", "ssh_step2"].map((name) => `#forget kg_edge_${name}\n`).join("");
const tail = `${lists}#close kg_edge_ssh_open ${client}\n`;

describe("a load onto nothing", () => {
  test("is the ruleset, and then which lists to empty and from which to take the deployer", () => {
    expect(planLoad(wanted, undefined, client)).toEqual({
      kind: "replace",
      dependsOnLoaded: false,
      text: `${renderPolicy(wanted)}${tail}`,
    });
  });

  test("has one part for each family, each a transaction of its own", () => {
    const lines = planLoad(wanted, undefined, client).text.split("\n");
    expect(lines.filter((line) => /^[#*C]/.test(line) && !/^#[fc]/.test(line))).toEqual([
      "# ipv4",
      "*filter",
      "COMMIT",
      "# ipv6",
      "*filter",
      "COMMIT",
    ]);
  });

  test("is in the table of the policy's scope", () => {
    const { text } = planLoad(read([ssh], { scope: "prerouting" }), undefined, client);
    expect(text.match(/^\*.*$/gm)).toEqual(["*mangle", "*mangle"]);
    expect(text).toContain("-I PREROUTING 1 ! -i lo -j kg_edge\n");
  });
});

describe("a load onto what is there", () => {
  test("takes the old jump away before it sets the new one, and empties each chain by naming it", () => {
    const load = planLoad(wanted, describeLoaded(wanted), client);
    const jump = "-I INPUT 1 ! -i lo -j kg_edge\n";
    expect(load).toEqual({
      kind: "refill",
      dependsOnLoaded: false,
      text: `${renderPolicy(wanted).replaceAll(jump, `-D INPUT ! -i lo -j kg_edge\n${jump}`)}${tail}`,
    });
  });

  test("takes each jump away once, however many there are and whatever else they ask for", () => {
    const listing = [
      "# ipv4",
      ":kg_edge - [0:0]",
      "-A INPUT ! -i lo -j kg_edge",
      "-A INPUT ! -i lo -j kg_edge",
      "-A FORWARD -s 192.0.2.0/24 -j kg_edge",
      "-A kg_edge -j kg_edge_new_conns",
      "# ipv6",
      "",
    ].join("\n");
    const [ipv4, ipv6] = splitFamilies(planLoad(wanted, { ...nothing, listing }, client).text);
    expect(pick(ipv4, "-D")).toEqual([
      "-D INPUT ! -i lo -j kg_edge",
      "-D INPUT ! -i lo -j kg_edge",
      "-D FORWARD -s 192.0.2.0/24 -j kg_edge",
    ]);
    expect(pick(ipv6, "-D")).toEqual([]);
  });

  test("leaves jumps to another policy's chain with a longer name alone", () => {
    const listing = "# ipv4\n:kg_edge - [0:0]\n-A INPUT ! -i lo -j kg_edge-2\n# ipv6\n";
    expect(planLoad(wanted, { ...nothing, listing }, client).text).not.toMatch(/^-D/m);
  });

  test("flushes all chains that are left over, and only then deletes them", () => {
    const [ipv4, ipv6] = splitFamilies(
      planLoad(wanted, describeLoaded(read([ssh, web], { log })), client).text,
    );
    for (const lines of [ipv4, ipv6]) {
      const gone = ["kg_edge_ssh_door", "kg_edge_web_door", "kg_edge_web_steps", "kg_edge_web_first"];
      expect(lines.filter((line) => /^-[FX]/.test(line))).toEqual([
        ...gone.map((chain) => `-F ${chain}`),
        ...gone.map((chain) => `-X ${chain}`),
      ]);
      const first = lines.findIndex((line) => line.startsWith("-A "));
      expect(lines.findLastIndex((line) => /^-[DFXI]/.test(line))).toBeLessThan(first);
    }
  });

  test("removes from each family what that family has", () => {
    const listing = "# ipv4\n:kg_edge - [0:0]\n# ipv6\n:kg_edge - [0:0]\n:kg_edge_old - [0:0]\n";
    const [ipv4, ipv6] = splitFamilies(planLoad(wanted, { ...nothing, listing }, client).text);
    expect(pick(ipv4, "-X")).toEqual([]);
    expect(pick(ipv6, "-X")).toEqual(["-X kg_edge_old"]);
  });

  test("passes over names that are not ours to quote", () => {
    const listing = "# ipv4\n:kg_edge - [0:0]\n:kg_edge_$(id) - [0:0]\n:kg_edge;x - [0:0]\n# ipv6\n";
    expect(planLoad(wanted, { ...nothing, listing }, client).text).not.toMatch(/\$|;/);
  });

  test("closes the door of the deployer in each gate's list, and empties no list of open doors", () => {
    const { text } = planLoad(read([ssh, web]), describeLoaded(wanted), "2001:db8::7");
    expect(text.match(/^#close .*$/gm)).toEqual([
      "#close kg_edge_ssh_open 2001:db8::7",
      "#close kg_edge_web_open 2001:db8::7",
    ]);
    expect(text).not.toMatch(/^#forget .*_open/m);
    expect(text.match(/^#forget kg_edge_web_.*$/gm)).toEqual(["#forget kg_edge_web_step1"]);
  });
});

type GateInput = PolicyInput["gates"][number];

const nothing: LoadedTable = { listing: "", sets: [], chains: [], counters: [] };
const log: NonNullable<PolicyInput["log"]> = { events: ["dropped"] };

function gate(name: string, tcp: string, ports: readonly number[]): GateInput {
  return { name, protect: [{ tcp }], knock: { steps: ports.map((port) => ({ tcp: port })) } };
}

function read(gates: readonly GateInput[], more: Partial<PolicyInput> = {}): Policy {
  return readPolicy({ name: "edge", backend: "iptables", gates: [...gates], ...more });
}

/** What the host's script lists after a ruleset was loaded. */
function describeLoaded(policy: Policy): LoadedTable {
  const listing = renderPolicy(policy)
    .split("\n")
    .filter((line) => !/^(\*|COMMIT)/.test(line))
    .map((line) => line.replace(/^-I INPUT 1 /, "-A INPUT "))
    .join("\n");
  return { ...nothing, listing };
}

function splitFamilies(text: string): readonly [string[], string[]] {
  const [ipv4 = "", ipv6 = ""] = text.split("# ipv6\n");
  return [ipv4.split("\n"), ipv6.split("\n")];
}

function pick(lines: readonly string[], verb: string): readonly string[] {
  return lines.filter((line) => line.startsWith(verb));
}
