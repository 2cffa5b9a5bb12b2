import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maskSecrets } from "../../../src/backends/redact";
import { renderLines, renderPolicy } from "../../../src/backends/render";
import { lintPolicy, lintRules } from "../../../src/lint/lint";
import type { PolicyInput } from "../../../src/policy/policy";
import { policyInput } from "../arbitraries";
import { readPolicy } from "../policy/read-policy";
import { runs } from "../runs";

const backends = ["nftables", "iptables"] as const;

/** Two gates with a sequence, and one with a single step. */
const edge: PolicyInput = {
  name: "edge",
  gates: [
    { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [{ tcp: 41_873 }, { udp: 22_719 }] } },
    { name: "vpn", protect: [{ udp: "51820" }], knock: { steps: [{ udp: 35_129 }, { tcp: 18_406 }] } },
    { name: "web", protect: [{ tcp: "443" }], knock: { steps: [{ udp: 27_301 }] } },
  ],
  allowFrom: ["192.0.2.0/24"],
  denyFrom: ["203.0.113.66"],
  log: { events: ["accepted", "reset"] },
};
const manyPorts = { protect: ["22", "80", "443", "8000-8010", "9000"].map((tcp) => ({ tcp })) };
const knock = { steps: [{ tcp: 41_873 }, { udp: 22_719 }] };

const ssh = "gates[0]";
const vpn = "gates[1]";
const web = "gates[2]";
const sshDoor = [ssh, "gates[0].protect"];
const sshStep1 = "gates[0].knock.steps[0]";
const sshPause = "gates[0].knock.stepTimeoutSeconds";
const pauses = [sshPause, "gates[1].knock.stepTimeoutSeconds"];

/** Lines like the pattern, and what each of them comes from. `undefined`: the backend has no such line. */
type Expected = readonly [RegExp, readonly string[]] | undefined;

const table: readonly (readonly [string, Partial<PolicyInput>, Expected, Expected])[] = [
  ["what begins the text", {}, [/^table /, []], [/^# ipv[46]$/, []]],
  ["where packets come from", {}, [/^\t\ttype filter hook/, ["scope"]], [/^(\*filter|-I INPUT)/, ["scope"]]],
  ["a gate's counter", {}, [/^\tcounter ssh_/, [ssh]], undefined],
  ["a gate's set", {}, [/^\tset ssh_step1_/, [ssh]], undefined],
  ["how many sources all gates' set holds", {}, [/size 196608$/, [ssh, vpn, "limits.sources"]], undefined],
  ["all gates' set: those with a sequence", {}, [/^\tset mid_knock2_/, [ssh, vpn]], undefined],
  [
    "a look-up in all gates' set, where it prints their times",
    {},
    [/@mid_knock2_v. goto mid_knock$/, []],
    [/-g kg_edge_mid_knock$/, [ssh, vpn, ...pauses]],
  ],
  [
    "all gates' time, where one gate puts a source into the set",
    {},
    [/comment "ssh: step 1 taken"$/, [ssh, sshStep1, sshPause]],
    [/kg_edge_ssh_first .*--set --name kg_edge_mid_knock /, [ssh, sshStep1]],
  ],
  [
    "SYNs that go to the gates",
    {},
    [/syn goto new_connections$/, [ssh, web, "stealth"]],
    [/ SYN -g kg_edge_new_conns$/, [ssh, web, "stealth"]],
  ],
  [
    "datagrams that go to the gates",
    {},
    [/udp goto new_connections$/, [vpn, web, "stealth"]],
    [/ -p udp -g kg_edge_new_conns$/, [vpn, web, "stealth"]],
  ],
  [
    "SYNs of a stealthy policy that may begin a knock",
    { stealth: true },
    [/syn goto new_connections$/, [ssh, "stealth"]],
    [/ SYN -g kg_edge_new_conns$/, [ssh, "stealth"]],
  ],
  [
    "the chain of a stealthy policy",
    { stealth: true },
    [/^\tchain gates \{$/, ["stealth"]],
    [/^:kg_edge_gates /, ["stealth"]],
  ],
  [
    "a rule that only stands in another chain if the policy is stealthy",
    { stealth: true },
    [/comment "allowFrom"$/, ["allowFrom"]],
    [/ -j RETURN$(?<=gates -s .*)/, ["allowFrom"]],
  ],
  [
    "first steps of several gates",
    {},
    [/^\t\tudp dport vmap \{ 35129/, [vpn, web, "gates[1].knock.steps[0]", "gates[2].knock.steps[0]"]],
    [/--dports 35129,27301 /, [vpn, web, "gates[1].knock.steps[0]", "gates[2].knock.steps[0]"]],
  ],
  [
    "a door that is open",
    {},
    [/"ssh_accepted" accept$/, [...sshDoor, "scope"]],
    [/ssh_door .* -j ACCEPT$/, [...sshDoor, "gates[0].openForSeconds", "scope"]],
  ],
  [
    "a log line, which decides nothing",
    {},
    [/"knockgate ssh accepted "$/, [...sshDoor, "log"]],
    [/"knockgate ssh accepted "$/, [...sshDoor, "gates[0].openForSeconds", "log"]],
  ],
  [
    "a door that opens",
    {},
    [/comment "ssh: opens"$/, [ssh, "gates[0].knock.steps[1]", "gates[0].openForSeconds"]],
    [/--set --name kg_edge_ssh_open /, [ssh, "gates[0].knock.steps[1]", sshPause]],
  ],
  [
    "back to the start",
    {},
    [/comment "ssh: back to the start"$/, [ssh, "gates[0].knock.strict"]],
    [/ssh_steps -m recent .*--remove \S+ kg_edge_ssh_step1 /, [ssh, sshPause, "gates[0].knock.strict"]],
  ],
  [
    "a rate",
    {},
    [/comment "ssh: too many/, [ssh, sshStep1, "limits.firstStepsPerSecond"]],
    [/hashlimit-name kg_edge_ssh_rate /, [ssh, sshStep1, "limits.firstStepsPerSecond"]],
  ],
  [
    "what is closed to the denied",
    {},
    [
      /^\t\ttcp dport vmap \{ 22 : goto ssh_closed,/,
      [ssh, web, "gates[0].protect", "gates[2].protect", "denyFrom"],
    ],
    [/kg_edge_denied .*--dport 22 -j DROP$/, [...sshDoor, "denyFrom"]],
  ],
  [
    "many ports that are looked at together",
    { gates: [{ name: "ssh", ...manyPorts, knock }] },
    undefined,
    [/-g kg_edge_doors$/, sshDoor],
  ],
  [
    "the chain of many ports that are closed to the denied",
    { gates: [{ name: "ssh", ...manyPorts, knock }] },
    undefined,
    [/^:kg_edge_closed /, ["denyFrom"]],
  ],
];

function linesLike(input: PolicyInput, pattern: RegExp): readonly (readonly string[])[] {
  return renderLines(readPolicy(input)).flatMap(({ text, paths }) => (pattern.test(text) ? [paths] : []));
}

describe.each(table)("what %s comes from", (_, change, nftables, iptables) => {
  const expected = { nftables, iptables };
  test.each(backends.filter((backend) => expected[backend] !== undefined))("in %s", (backend) => {
    const [pattern, paths] = expected[backend] ?? [/^/, []];
    const found = linesLike({ ...edge, ...change, backend }, pattern);
    expect(found.length).toBeGreaterThan(0);
    for (const each of found) expect(each).toEqual(paths);
  });
});

const impossible = new Set(lintRules.filter(({ canBeAccepted }) => !canBeAccepted).map(({ id }) => id));

describe.each(backends)("the lines for %s", (backend) => {
  const policy = policyInput()
    .map((input) => readPolicy({ ...input, backend }))
    .filter((read) => !lintPolicy(read).some(({ rule }) => impossible.has(rule)));

  test("are the text, and their paths do not depend on how secrets are shown", () => {
    fc.assert(
      fc.property(policy, (read) => {
        const lines = renderLines(read);
        expect(lines.map(({ text }) => `${text}\n`).join("")).toBe(renderPolicy(read));
        const labelled = renderLines(read, maskSecrets("key"));
        // Gates with the same first step are told apart there.
        if (lines.length === labelled.length)
          expect(labelled.map(({ paths }) => paths)).toEqual(lines.map(({ paths }) => paths));
      }),
      runs(25),
    );
  });

  test("come from each part once, and with a gate's part from the gate", () => {
    fc.assert(
      fc.property(policy, (read) => {
        for (const { paths } of renderLines(read)) {
          expect(new Set(paths).size).toBe(paths.length);
          const gates = paths.flatMap((path) => /^gates\[\d+\]/.exec(path)?.[0] ?? []);
          expect(paths).toEqual(expect.arrayContaining(gates));
        }
      }),
      runs(25),
    );
  });
});
