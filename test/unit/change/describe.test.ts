import { describe, expect, test } from "vitest";
import { describeConfirmed, describeDifferences, describeObserved } from "../../../src/change/describe";
import type { Observed } from "../../../src/host/observed";
import { findObstacles } from "../../../src/host/other-rules/obstacles";
import { edge, readPolicy } from "../policy/read-policy";

const policy = readPolicy(edge);
const request = { policy, owner: "me", undoAfterSeconds: 60 };
const loaded = { listing: "listing", sets: [], chains: [], counters: [] };
const confirmed = { owner: "me", text: "table", listing: "listing" };
const host: Observed = {
  clientAddress: "192.0.2.9",
  backend: "nftables",
  nftVersion: "1.0.9",
  iptablesVersion: "iptables v1.8.9 (nf_tables)",
  kernelRelease: "6.1.0-38-amd64",
  missing: [],
  init: "systemd",
  unwritable: [],
  tables: "",
  sockets: "",
};

describe("what was found on a host", () => {
  test.each<readonly [string, Partial<Observed>]>([
    ["nft 1.0.9, systemd, no confirmed ruleset", {}],
    [
      "iptables v1.8.9 (nf_tables), no systemd or OpenRC, no confirmed ruleset",
      { backend: "iptables", init: "other" },
    ],
    ["nft 1.0.9, systemd, the confirmed ruleset is loaded", { confirmed, loaded }],
    ["nft 1.0.9, systemd, what is loaded could not be listed", { confirmed, isUnlisted: true }],
    ["nft 1.0.9, systemd, the loaded ruleset is not the confirmed one", { confirmed }],
    [
      "nft 1.0.9, systemd, no confirmed ruleset, the last change was undone: port <secret> did not answer",
      { undone: "port 41001 did not answer" },
    ],
  ])("is %s", (words, more) => {
    expect(describeObserved({ ...host, ...more }, policy)).toBe(words);
  });

  test("is warned of where it may keep a gate from working, without the port of a step", () => {
    const chain = { family: "inet", table: "filter", name: "input", hook: "input", policy: "drop" };
    const tables = JSON.stringify({ nftables: [{ chain }] });
    const sockets = "tcp\n   0: 00000000:A02A 00000000:0000 0A 0 0 0 0 0 0\n";
    const warnings = describeDifferences(
      { ...host, tables, sockets },
      request,
      findObstacles({ tables }, request.policy),
      "edge.test",
    );
    expect(warnings).toEqual([
      expect.stringMatching(/^warning: chain inet filter input drops TCP port 22 by its policy, .*: /),
      "warning: step 2 of gate ssh is on a port where a service of the host listens: choose another port",
    ]);
    expect(warnings.join("\n")).not.toMatch(/4100/);
    expect(describeDifferences(host, request, [], "edge.test")).toEqual([]);
    expect(describeDifferences({ ...host, unlisted: ["table ip filter"] }, request, [], "edge.test")).toEqual(
      [
        "warning: the host's nft could not list table ip filter: it is not known whether a rule there drops packets to the protected ports",
      ],
    );
  });
});

test.each([
  ["systemd", "is loaded at boot by a systemd unit"],
  ["openrc", "is loaded at boot by an OpenRC service"],
  ["other", "nothing loads it at boot until you add the line that docs/boot.md names"],
] as const)("what a confirmation means depends on who loads the ruleset at boot: %s", (init, meaning) => {
  expect(describeConfirmed({ ...host, init })).toContain(meaning);
});
