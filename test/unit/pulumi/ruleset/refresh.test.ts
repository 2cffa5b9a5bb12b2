import { describe, expect, test } from "vitest";
import { renderPolicy } from "../../../../src/backends/render";
import { writeTokenSource } from "../../../../src/backends/token-source";
import type { Observed } from "../../../../src/host/observed";
import { digestText } from "../../../../src/policy/digest";
import { parsePolicy } from "../../../../src/policy/parse";
import { describeRefreshed } from "../../../../src/pulumi/ruleset/refresh";
import type { RulesetState } from "../../../../src/pulumi/ruleset/state";

const reading = parsePolicy({
  name: "edge",
  gates: [
    { name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62_201 } } },
    { name: "web", protect: [{ tcp: "443" }], knock: { steps: [{ tcp: 47_001 }, { udp: 58_002 }] } },
  ],
  users: [{ name: "ada", key: `ada-${"4Kq9".repeat(10)}` }],
});
if (reading.kind === "wrong") throw new Error("wrong");
const { policy } = reading;

const observed: Observed = {
  clientAddress: "192.0.2.9",
  backend: "nftables",
  nftVersion: "1.0.6",
  iptablesVersion: "",
  kernelRelease: "6.1.0",
  missing: [],
  init: "systemd",
  unwritable: [],
  tables: "",
  sockets: "",
};
const count = { accepted: 5, dropped: 9, opened: 4, reset: 0 };
const counts = new Map([
  ["ssh", count],
  ["web", count],
]);
const state = {
  connection: { host: "edge.test" },
  redactionKey: "key",
  digest: "d1ge57",
  counters: {},
} as unknown as RulesetState;

function refresh(more: Partial<Observed>) {
  return describeRefreshed({ ...observed, ...more }, counts, "edge-1", policy, state).props.counters;
}

test("what a host makes its tokens from is drift when it is not what the policy and its host's name say", () => {
  const text = renderPolicy(policy);
  const confirmed = { owner: "edge-1", text, listing: text };
  const loaded = { listing: text, sets: [], chains: [], counters: [] };
  const made = { host: "edge.test", until: 9, users: [] };
  const read = (source: string | undefined) => {
    const tokens = source === undefined ? {} : { tokens: { ...made, digest: digestText(source) } };
    const known = { ...state, digest: digestText(text) };
    return describeRefreshed({ ...observed, confirmed, loaded, ...tokens }, counts, "edge-1", policy, known);
  };
  const right = writeTokenSource(policy, "edge.test");
  expect(read(right)).toMatchObject({ drift: [], props: { drift: [], digest: digestText(text) } });
  const wrong = read(right?.replace("4Kq9", "9qK4"));
  expect(wrong.drift).toEqual([expect.stringMatching(/^token source: .* other keys or settings/)]);
  expect(wrong).toMatchObject({ props: { drift: wrong.drift }, inputs: { drift: wrong.drift } });
  expect(read(undefined).drift).toEqual([expect.stringMatching(/^token source: .* is gone/)]);
});

describe("the counters after a refresh", () => {
  test("say which users opened a gate, how often, and between which times last", () => {
    const users = [
      {
        gate: "ssh",
        user: "ada",
        from: 0,
        until: 9,
        opened: 3,
        last: { from: 1_800_000_000, to: 1_800_003_600 },
      },
      { gate: "ssh", user: "ben", from: 0, until: 9, opened: 0 },
    ];
    expect(refresh({ tokens: { digest: "x", host: "edge.test", until: 9, users } })).toEqual({
      ssh: {
        ...count,
        users: {
          ada: { opened: 3, lastFrom: "2027-01-15T08:00:00.000Z", lastTo: "2027-01-15T09:00:00.000Z" },
          ben: { opened: 0 },
        },
      },
      web: count,
    });
  });

  test("name no user where the host has no tokens", () => {
    expect(refresh({})).toEqual({ ssh: count, web: count });
  });
});
