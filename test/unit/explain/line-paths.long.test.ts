import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { renderPolicy } from "../../../src/backends/render";
import { type Explanation, explainPolicy } from "../../../src/explain/explanation";
import { isSequenceGate, stepsOf } from "../../../src/policy/knock";
import { parsePolicy } from "../../../src/policy/parse";
import type { Policy } from "../../../src/policy/policy";
import { type Step, sameStep } from "../../../src/policy/step";

const golden = join(__dirname, "..", "..", "golden");
const backends = ["nftables", "iptables"] as const;
/** A port that no golden policy has, as a step or behind a gate. */
const otherPort = 19_997;

const cases = readdirSync(golden).flatMap((name) =>
  backends.flatMap((backend) => {
    const hasRules = readdirSync(join(golden, name)).some((file) => file.startsWith(backend));
    const raw = JSON.parse(readFileSync(join(golden, name, "policy.json"), "utf8"));
    return hasRules ? [[name, backend, read({ ...raw, backend })] as const] : [];
  }),
);

function read(raw: unknown): Policy {
  const reading = parsePolicy(raw);
  if (reading.kind === "wrong") throw new Error(JSON.stringify(reading.findings));
  return reading.policy;
}

function explain(policy: Policy): Explanation {
  return explainPolicy(policy, { key: "k", showSecrets: true });
}

function linesOf({ ruleset }: Explanation, path: string): readonly number[] {
  return ruleset.filter(({ paths }) => paths.includes(path)).map(({ number }) => number);
}

function differingLines(one: Policy, other: Policy): readonly number[] {
  const [lines = [], others = []] = [one, other].map((policy) => renderPolicy(policy).trimEnd().split("\n"));
  expect(others.length).toBe(lines.length);
  return lines.flatMap((line, index) => (line === others[index] ? [] : [index + 1]));
}

describe.each(cases)("the lines of %s for %s", (name, __, policy) => {
  const explanation = explain(policy);

  test("are the ruleset", () => {
    const text = explanation.ruleset.map((line) => `${line.text}\n`).join("");
    expect(text).toBe(renderPolicy(policy));
    expect(explanation.ruleset.map(({ number }) => number)).toEqual(explanation.ruleset.map((_, i) => i + 1));
  });

  test("that belong to a step are those that change with it", () => {
    let compared = 0;
    for (const [index, gate] of policy.gates.entries()) {
      for (const [position, step] of stepsOf(gate).entries()) {
        // Steps in a row that look alike share a set: its lines change with either step.
        const isAlike = [position - 1, position + 1].some((beside) => {
          const other = stepsOf(gate)[beside];
          return other !== undefined && sameStep(step, other);
        });
        if (isAlike) continue;
        const changed = structuredClone(policy) as unknown as { gates: { knock: { steps: Step[] } }[] };
        const other: Step =
          step.kind === "icmpEcho"
            ? { ...step, payloadBytes: step.payloadBytes + 1 }
            : { ...step, port: otherPort };
        const steps = changed.gates[index]?.knock.steps ?? [];
        steps[position] = other;
        const differing = differingLines(policy, changed as unknown as Policy);
        compared += 1;
        expect(linesOf(explanation, `gates[${index}].knock.steps[${position}]`)).toEqual(differing);
      }
    }
    const hasAlike = ["repeated-port-adjacent", "long-names"].includes(name);
    if (!hasAlike) expect(compared).toBe(policy.gates.flatMap(stepsOf).length);
  });

  test("that belong to a gate are gone without it, and none of them names only another gate", () => {
    if (policy.gates.length === 1) return;
    for (const [index, gate] of policy.gates.entries()) {
      const rest = { ...policy, gates: policy.gates.filter((other) => other !== gate) };
      // These lines hold for many gates together: how long a source counts as mid-knock, at how many gates, by which
      // groups, and how many tokens there are.
      const lessAll = (line: string) =>
        line
          .replace(/\bmid_knock\d+(_\d+)?_v/g, "mid_knock_v")
          .replace(/\bstrict\d+_\d+_v/, "strict_v")
          // Of the sets that hold the sources of many gates.
          .replace(/^\t\tsize (?!65536$)\d+$/, "size")
          .replace(/(?<=@mid_knock_v[46] \{ ip6? saddr timeout )\d+/g, "")
          .replace(/(?<=\btokens_)\d+/, "")
          .replace(/(?<=--seconds )\d+(?= --name kg_edge_mid_knock )/, "");
      const kept = new Set(renderPolicy(rest).split("\n").map(lessAll));
      const gone = explanation.ruleset
        .filter(({ text }) => !kept.has(lessAll(text)))
        .map(({ number }) => number);
      expect(gone.length).toBeGreaterThan(0);
      // What holds for all sequences goes with the last of them, and is no part of any.
      const isLastSequence = isSequenceGate(gate) && !rest.gates.some(isSequenceGate);
      if (!isLastSequence)
        expect(linesOf(explanation, `gates[${index}]`)).toEqual(expect.arrayContaining(gone));
      for (const { text, paths } of explanation.ruleset) {
        const named = policy.gates.filter(({ name }) => new RegExp(`(?<![a-z0-9-])${name}_`).test(text));
        if (named.length > 0) expect(paths.includes(`gates[${index}]`)).toBe(named.includes(gate));
      }
    }
  });
});

describe("what the settings became", () => {
  const raw = {
    name: "edge",
    gates: [
      {
        name: "ssh",
        protect: [{ tcp: "22" }, { tcp: "8000-8010" }],
        knock: { steps: [{ tcp: 41_873 }, { udp: 22_719 }, { icmpPayloadBytes: 77 }] },
      },
      { name: "vpn", protect: [{ udp: "51820" }], knock: { steps: [{ tcp: 35_129 }, { udp: 18_406 }] } },
    ],
    allowFrom: ["192.0.2.0/24", "2001:db8::/32"],
    denyFrom: ["203.0.113.66"],
    log: { events: ["reset"] },
  };

  test.each([
    ["nftables", "gates[0].openForSeconds", /update @ssh_open_v/],
    ["nftables", "gates[1].openForSeconds", /update @vpn_open_v/],
    ["nftables", "gates[0].knock.stepTimeoutSeconds", /update @ssh_step\d_v/],
    ["nftables", "gates[0].knock.strict", /comment "ssh: back to|log prefix "knockgate ssh reset/],
    ["nftables", "gates[1].knock.strict", /comment "vpn: back to|log prefix "knockgate vpn reset/],
    ["nftables", "allowFrom", /comment "allowFrom"/],
    ["nftables", "limits.sources", /^\t\tsize /],
    ["nftables", "limits.firstStepsPerSecond", /limit rate over/],
    ["nftables", "log", /log prefix/],
    ["iptables", "gates[0].openForSeconds", /--rcheck --seconds 30 --name kg_edge_ssh_open/],
    [
      "iptables",
      "gates[0].knock.stepTimeoutSeconds",
      /--rcheck --seconds \d --name kg_edge_(ssh_step|mid_knock)/,
    ],
    ["iptables", "gates[0].knock.strict", /ssh_steps -m recent --rcheck --seconds 5 --name kg_edge_ssh_step/],
    ["iptables", "gates[1].protect", /edge_vpn_(door|closed)|-p udp -m udp --dport 51820/],
    ["iptables", "allowFrom", /-s .*-j RETURN/],
    ["iptables", "denyFrom", /denied/],
    ["iptables", "limits.firstStepsPerSecond", /hashlimit/],
    ["iptables", "log", /LOG --log-prefix/],
  ])("in %s: %s is every line like %s, and no other", (backend, path, pattern) => {
    const explanation = explain(read({ ...raw, backend }));
    const expected = explanation.ruleset.filter(({ text }) => pattern.test(text)).map(({ text }) => text);
    expect(expected.length).toBeGreaterThan(0);
    const found = explanation.ruleset.filter(({ paths }) => paths.includes(path)).map(({ text }) => text);
    expect(found).toEqual(expected);
  });

  test("in nftables: protect and denyFrom are whole chains", () => {
    const { ruleset } = explain(read({ ...raw, log: undefined }));
    const texts = (path: string) =>
      ruleset.filter(({ paths }) => paths.includes(path)).map(({ text }) => text.trim());
    expect(texts("gates[1].protect")).toEqual([
      "udp dport 51820 goto vpn_door",
      "udp dport 51820 goto vpn_closed",
      "chain vpn_closed {",
      'counter name "vpn_dropped" drop',
      "}",
      "chain vpn_door {",
      'ip saddr @vpn_open_v4 counter name "vpn_accepted" accept',
      'ip6 saddr @vpn_open_v6 counter name "vpn_accepted" accept',
      'counter name "vpn_dropped" drop',
      "}",
    ]);
    expect(texts("denyFrom")).toEqual([
      'ip saddr 203.0.113.66 goto denied comment "denyFrom"',
      "chain denied {",
      "tcp dport vmap { 22 : goto ssh_closed, 8000-8010 : goto ssh_closed }",
      "udp dport 51820 goto vpn_closed",
      "}",
      ...["ssh", "vpn"].flatMap((name) => [
        `chain ${name}_closed {`,
        `counter name "${name}_dropped" drop`,
        "}",
      ]),
    ]);
  });

  test.each(backends)("in %s: a rule that names its gate by its step alone is that gate's", (backend) => {
    const knock = { steps: [{ udp: 22_719 }] };
    const gates = [{ name: "ssh", protect: [{ tcp: "22" }], knock }];
    const limits = { firstStepsPerSecond: 0 };
    const policy = read({ name: "edge", backend, gates, limits, log: { events: ["opened"] } });
    const { ruleset } = explain(policy);
    const logged = ruleset.filter(({ text }) => text.includes("opened ") && text.includes("22719"));
    expect(logged.length).toBeGreaterThan(0);
    const own = ["gates[0]", "gates[0].knock.steps[0]", "log"];
    for (const { paths } of logged) expect(paths).toEqual(expect.arrayContaining(own));
  });
});
