import { describe, expect, test } from "vitest";
import { renderPolicy } from "../../../src/backends/render";
import { writeTokenSource } from "../../../src/backends/token-source";
import { describeDrift, makeRedaction } from "../../../src/host/describe-drift";
import { assessDrift, type Drift, type ExpectedHost, nameObstacle } from "../../../src/host/drift";
import type { Observed } from "../../../src/host/observed";
import { findObstacles } from "../../../src/host/other-rules/obstacles";
import type { ObservedTokens } from "../../../src/host/tokens";
import { digestText } from "../../../src/policy/digest";
import { makePolicy, newPolicy, newSteps, oldPolicy, oldSteps } from "../../suites/host/policies";
import { readPolicy } from "../policy/read-policy";

const text = renderPolicy(oldPolicy);
const loaded = { listing: text, sets: [], chains: [], counters: [] };
const confirmed = { owner: "me", text, listing: text };
const same: Observed = {
  clientAddress: "192.0.2.1",
  backend: "nftables",
  nftVersion: "1.0.6",
  iptablesVersion: "",
  kernelRelease: "6.1.0-38-amd64",
  tables: "",
  sockets: "",
  missing: [],
  init: "systemd",
  unwritable: [],
  isMissingAtBoot: false,
  preceding: "",
  confirmed,
  loaded,
};
const { confirmed: _confirmed, loaded: _loaded, ...bare } = same;
const expected: ExpectedHost = {
  policy: oldPolicy,
  host: "edge.test",
  digest: digestText(text),
  owner: "me",
  obstacles: [],
};

const dropping = { family: "inet", table: "site", name: "input", hook: "input", policy: "drop" };
const tables = JSON.stringify({ nftables: [{ chain: dropping }] });
const accept = "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT";
const front = `# ipv4\n-A INPUT ! -i lo -j kg_edge\n# ipv6\n${accept}\n-A INPUT ! -i lo -j kg_edge\n`;
const withoutDrop = text.replace(/\t\tcounter name "ssh_dropped" drop\n/, "");
const foreign = renderPolicy(newPolicy);

/** What is observed, the kinds of drift, and a pattern for each line. */
const cases: readonly (readonly [string, Observed, readonly Drift["kind"][], readonly RegExp[]])[] = [
  ["just what is expected", same, [], []],
  [
    "a rule that somebody took out",
    { ...same, loaded: { ...loaded, listing: withoutDrop } },
    ["changed"],
    [/^changed outside: chain ssh_door: - counter name "ssh_dropped" drop$/],
  ],
  [
    "a rule that somebody put in",
    {
      ...same,
      loaded: {
        ...loaded,
        listing: text.replace("chain ssh_door {\n", "$&\t\tip saddr 192.0.2.5 accept\n"),
      },
    },
    ["changed"],
    [/^changed outside: chain ssh_door: \+ ip saddr 192\.0\.2\.5 accept$/],
  ],
  ["a kernel that was flushed", { ...bare, confirmed }, ["gone"], [/^gone: the kernel has nothing/]],
  [
    "an nft that crashes over what is loaded",
    { ...bare, confirmed, isUnlisted: true },
    ["unlisted"],
    [
      /^not listed: nft 1\.0\.6 crashes when it lists the host's tables, .*: upgrade the package nftables, or/,
    ],
  ],
  ["a host that lost its files", { ...bare, loaded }, ["gone"], [/^gone: the host's files/]],
  ["a host that has nothing", bare, ["gone"], [/^gone: the host has nothing/]],
  [
    "a unit that is not enabled",
    { ...same, isMissingAtBoot: true },
    ["not at boot"],
    [/^not at boot: the host's service knockgate-edge is /],
  ],
  [
    "a chain of others that drops the port",
    { ...same, tables },
    ["obstacle"],
    [/^blocked by: chain inet site input .* TCP port 22/],
  ],
  [
    "a rule of others before the jump",
    { ...same, backend: "iptables", preceding: front },
    ["preceding rule"],
    [/^preceding rule: IPv6 .*--dport 22 -j ACCEPT$/],
  ],
  [
    "a change that was undone",
    { ...same, undone: "not confirmed in time" },
    ["undone"],
    [/^undone: .*: not confirmed in time$/],
  ],
  [
    "another owner's policy",
    { ...same, confirmed: { owner: "edge-7\u001b[2J", text: foreign, listing: text } },
    ["another owner"],
    [/^another owner: edge-72J has confirmed policy edge .*adopt: true/],
  ],
  [
    "a change that the state missed",
    { ...same, confirmed: { ...confirmed, text: foreign } },
    ["unknown change"],
    [/^unknown change: /],
  ],
  [
    "a change that is under way, whatever else there is",
    { ...same, pendingId: "next", tables, loaded: { ...loaded, listing: foreign } },
    ["pending"],
    [/^pending: /],
  ],
  [
    "much at once",
    { ...bare, confirmed, tables, isMissingAtBoot: true, undone: "the host was rebooted" },
    ["gone", "not at boot", "obstacle", "undone"],
    [/^gone/, /^not at boot/, /^blocked by/, /^undone/],
  ],
];

describe("a host on which there is", () => {
  test.each(cases)("%s: is found and reported", (_what, observed, kinds, lines) => {
    const drift = assessDrift(observed, expected);
    expect(drift.map(({ kind }) => kind)).toEqual(kinds);
    const said = describeDrift(drift, oldPolicy, makeRedaction(drift, oldPolicy, "key"));
    expect(said).toEqual(lines.map((line) => expect.stringMatching(line)));
  });
});

describe("tokens of which the host's", () => {
  const team = readPolicy({
    name: "edge",
    users: [{ name: "ada", key: `ada-${"4Kq9".repeat(10)}` }],
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62_201 } } }],
  });
  const teamText = renderPolicy(team);
  const tokens: ObservedTokens = {
    digest: digestText(writeTokenSource(team, "edge.test") ?? ""),
    host: "edge.test",
    until: 0,
    users: [],
  };
  const teamHost: Observed = {
    ...same,
    confirmed: { owner: "me", text: teamText, listing: teamText },
    loaded: { ...loaded, listing: teamText },
    tokens,
  };
  const { tokens: _tokens, ...withoutTokens } = teamHost;
  const assess = (observed: Observed, policy = team) => {
    const drift = assessDrift(observed, { ...expected, policy, digest: digestText(renderPolicy(policy)) });
    return describeDrift(drift, policy, makeRedaction(drift, policy, "key"));
  };
  const named = { ...tokens, digest: "cd34", host: "203.0.113.7" };

  test.each<[string, Observed, readonly RegExp[]]>([
    ["files are right", teamHost, []],
    ["file with the keys is gone", withoutTokens, [/^token source: the host's file .* is gone/]],
    [
      "keys are others",
      { ...teamHost, tokens: { ...tokens, digest: "cd34" } },
      [/^token source: .*other keys/],
    ],
    ["name is another", { ...teamHost, tokens: named }, [/^token source: .*for the name 203\.0\.113\.7, /]],
    ["name is not there", { ...teamHost, tokens: { ...named, host: "" } }, [/^token source: .*other keys/]],
    [
      "file is for all to read",
      { ...teamHost, tokens: { ...tokens, isReadable: true } },
      [/^token source: .*mode/],
    ],
    ["timer is gone", { ...teamHost, isFillMissing: true }, [/^no fill: /]],
    [
      "file and timer are wrong, and its owner is another",
      {
        ...teamHost,
        confirmed: { owner: "you", text: teamText, listing: teamText },
        tokens: { ...named, isReadable: true },
        isFillMissing: true,
      },
      [/^another owner/, /^token source: .*203/, /^token source: .*mode/, /^no fill/],
    ],
    [
      "ruleset is another one, which says enough",
      { ...withoutTokens, confirmed: { owner: "me", text: foreign, listing: teamText } },
      [/^unknown change/],
    ],
  ])("%s: are reported so", (_what, observed, lines) => {
    const said = assess(observed);
    expect(said).toEqual(lines.map((line) => expect.stringMatching(line)));
    expect(said.join()).not.toMatch(/4Kq9|cd34/);
    expect(said.join()).not.toContain(tokens.digest);
  });

  test("file has no place are reported, too", () => {
    expect(assess({ ...same, tokens }, oldPolicy)).toEqual([
      expect.stringMatching(/^token source: .*other keys/),
    ]);
  });
});

test("an obstacle that was there when the gate was proven is not drift", () => {
  const obstacles = findObstacles({ tables }, oldPolicy).map(nameObstacle);
  expect(obstacles).toEqual(["inet site input tcp 22"]);
  expect(assessDrift({ ...same, tables }, { ...expected, obstacles })).toEqual([]);
  // A state of an earlier version has no obstacles noted, so this one may have been there before.
  expect(assessDrift({ ...same, tables }, { ...expected, obstacles: undefined })).toEqual([]);
});

describe("what is reported about a host", () => {
  const numbers = [...oldSteps, ...newSteps].map(({ tcp, udp }) => `${tcp ?? udp}`);
  const listings = [
    ["of this policy with changes", text.replaceAll("update", "add").replace("drop", "accept"), true],
    ["of another policy", foreign, false],
    [
      "of another policy on iptables",
      renderPolicy(makePolicy({ steps: newSteps, backend: "iptables" })),
      false,
    ],
  ] as const;

  test.each(listings)("holds no step when it has a listing %s", (_what, listing, isOwn) => {
    const seen: readonly Observed[] = [
      { ...same, loaded: { ...loaded, listing } },
      { ...bare, loaded: { ...loaded, listing } },
      { ...same, pendingId: "next", loaded: { ...loaded, listing } },
      {
        ...same,
        confirmed: { ...confirmed, text: foreign, listing: foreign },
        loaded: { ...loaded, listing },
      },
      {
        ...same,
        backend: "iptables",
        preceding: `# ipv4\n-A INPUT -p tcp --dport ${oldSteps[0]?.tcp} -j DROP\n-A INPUT -j kg_edge\n`,
      },
    ];
    for (const observed of isOwn ? seen : seen.slice(1)) {
      const drift = assessDrift(observed, expected);
      expect(drift).not.toEqual([]);
      for (const redact of [makeRedaction(drift, oldPolicy, "key"), makeRedaction(drift, oldPolicy)]) {
        const shown = [...describeDrift(drift, oldPolicy, redact), redact(observed.loaded?.listing ?? "")];
        for (const number of numbers) expect(shown.join("\n")).not.toMatch(new RegExp(`\\b${number}\\b`));
      }
    }
  });

  test("shows a few lines of a long change, and how many more there are", () => {
    const lines = Array.from({ length: 40 }, (_, index) => `\t\tip saddr 192.0.2.${index} accept\n`);
    const listing = text.replace("chain ssh_door {\n", `$&${lines.join("")}`);
    const drift = assessDrift({ ...same, loaded: { ...loaded, listing } }, expected);
    const said = describeDrift(drift, oldPolicy, makeRedaction(drift, oldPolicy, "key"));
    expect(said).toHaveLength(13);
    expect(said.at(-1)).toBe("changed outside: and 28 more lines");
  });
});
