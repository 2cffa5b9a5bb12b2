import { describe, expect, test } from "vitest";
import { renderPolicy } from "../../../../src/backends/render";
import { digestText } from "../../../../src/policy/digest";
import { parsePolicy } from "../../../../src/policy/parse";
import type { Properties } from "../../../../src/pulumi/properties";
import { check, diff } from "../../../../src/pulumi/ruleset/operations";
import { unknownValue } from "../../../../src/pulumi/unknown";

const connection = { host: "203.0.113.7", user: "ops", password: "one" };
const gate = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [{ tcp: 47_001 }, { udp: 58_002 }] } };
const policy = { name: "edge", gates: [gate] };
const given = { connection, policy, redactionKey: "" };

/** The state after the host has confirmed. */
async function confirmed(): Promise<Properties> {
  const { inputs } = await check({}, given);
  const reading = parsePolicy(policy);
  if (reading.kind === "wrong") throw new Error("wrong");
  return { ...inputs, digest: digestText(renderPolicy(reading.policy)), counters: {} };
}

async function compare(olds: Properties, news: object) {
  const { inputs, failures } = await check(olds, { ...given, ...news });
  expect(failures).toEqual([]);
  return diff("edge-1", olds, inputs);
}

const same = { changes: false, replaces: [], deleteBeforeReplace: false };
const changed = { ...same, changes: true };

describe("comparing what the host confirmed with what is wanted", () => {
  test.each([
    ["the same", {}],
    [
      "the defaults said aloud",
      { undoAfterSeconds: 60, connection: { ...connection, port: 22, dialErrorLimit: 10 } },
    ],
    [
      "the same in another order",
      {
        connection: { password: "one", user: "ops", host: "203.0.113.7" },
        policy: { gates: [{ knock: gate.knock, protect: gate.protect, name: "ssh" }], name: "edge" },
      },
    ],
  ])("finds no change in %s", async (_what, news) => {
    expect(await compare(await confirmed(), news)).toEqual(same);
  });

  test.each([
    [
      "a step",
      { policy: { ...policy, gates: [{ ...gate, knock: { steps: [{ tcp: 47_001 }, { udp: 58_003 }] } }] } },
    ],
    ["the time that a door is open", { policy: { ...policy, gates: [{ ...gate, openForSeconds: 31 }] } }],
    ["who need not knock", { policy: { ...policy, allowFrom: ["192.0.2.0/24"] } }],
    [
      "a gate more",
      { policy: { ...policy, gates: [gate, { ...gate, name: "web", protect: [{ tcp: "443" }] }] } },
    ],
    ["the password alone", { connection: { ...connection, password: "two" } }],
    ["the port of SSH", { connection: { ...connection, port: 2_222 } }],
    ["the time to undo after", { undoAfterSeconds: 61 }],
    ["what is left behind", { deleteUnreachable: true }],
    ["what is taken over", { adopt: true }],
  ])("finds a change, to be made in place, in %s", async (_what, news) => {
    expect(await compare(await confirmed(), news)).toEqual(changed);
  });

  test("finds no change in the program's name for its place", async () => {
    const state = await confirmed();
    expect(await compare(state, { origin: "acme/urn:edge" })).toEqual(same);
    expect(await compare({ ...state, origin: "acme/urn:rim" }, { origin: "acme/urn:edge" })).toEqual(same);
  });

  test("finds a change when old drift is gone, as the engine asks after a refresh", async () => {
    const state = await confirmed();
    const { inputs } = await check(state, given);
    expect(await diff("edge-1", state, inputs)).toEqual(same);
    expect(await diff("edge-1", state, { ...inputs, drift: ["gone: all"] })).toEqual(changed);
  });

  test("replaces on another host, and creates there first", async () => {
    const moved = { connection: { ...connection, host: "203.0.113.8" } };
    expect(await compare(await confirmed(), moved)).toEqual({ ...changed, replaces: ["connection"] });
  });

  test.each([
    ["under another name", { name: "rim" }],
    ["in another backend", { backend: "iptables" }],
    ["in iptables' other table", { backend: "iptables", scope: "prerouting" }],
  ])("updates %s, so that one change of the host takes the former gate away", async (_what, more) => {
    expect(await compare(await confirmed(), { policy: { ...policy, ...more } })).toEqual(changed);
  });

  test("changes nftables' hook in place: it is one table", async () => {
    const prerouting = { policy: { ...policy, scope: "prerouting" } };
    expect(await compare(await confirmed(), prerouting)).toEqual(changed);
  });

  test("replaces on another host under another name, and creates there first", async () => {
    const both = { policy: { ...policy, name: "rim" }, connection: { ...connection, host: "203.0.113.8" } };
    expect(await compare(await confirmed(), both)).toEqual({ ...changed, replaces: ["connection"] });
  });

  test.each([
    ["a refresh found another ruleset than the confirmed one", { digest: "" }],
    ["a refresh found drift of any other kind", { drift: ["undone: not confirmed in time"] }],
    ["the host confirmed another ruleset", { digest: digestText("table") }],
    ["a refresh saw another ruleset", { ruleset: "table inet knockgate_edge {\n}\n" }],
    ["the state has no digest", { digest: undefined }],
    ["the state can't be read any more", { connection: { host: "203.0.113.7", nobodyKnows: true } }],
  ])("finds a change when %s", async (_what, olds) => {
    expect(await compare({ ...(await confirmed()), ...olds }, {})).toEqual(changed);
  });

  test.each([
    ["a step", { policy: { ...policy, gates: [{ ...gate, knock: { steps: unknownValue } }] } }],
    ["the whole policy", { policy: unknownValue }],
    ["a password", { connection: { ...connection, password: unknownValue } }],
    ["what it is behind", { behind: unknownValue }],
  ])("supposes a change in place while %s is not known yet", async (_what, news) => {
    expect(await compare(await confirmed(), news)).toEqual(changed);
  });

  test.each([
    ["the host", { connection: { ...connection, host: unknownValue } }],
    ["the whole connection", { connection: unknownValue }],
  ])("supposes another host while %s is not known yet", async (_what, news) => {
    expect(await compare(await confirmed(), news)).toEqual({ ...changed, replaces: ["connection"] });
  });

  test.each([
    ["another name", { name: "rim" }],
    ["another backend", { backend: "iptables" }],
  ])("supposes a change in place under %s while a gate is not known yet", async (_what, more) => {
    expect(
      await compare(await confirmed(), { policy: { ...policy, gates: [unknownValue], ...more } }),
    ).toEqual(changed);
  });
});
