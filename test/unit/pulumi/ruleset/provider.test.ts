import { beforeEach, describe, expect, test, vi } from "vitest";
import { unfoldFamilies } from "../../../../src/backends/nftables/fold";
import { withProvingRoutes, withRoutes } from "../../../../src/change/open-routes";
import { parsePolicy } from "../../../../src/policy/parse";
import type { Policy } from "../../../../src/policy/policy";
import type { Properties } from "../../../../src/pulumi/properties";
import { check, create, diff, read, update } from "../../../../src/pulumi/ruleset/provider";
import { seal, unseal } from "../../../../src/pulumi/ruleset/sealed";
import { openState, storeState } from "../../../../src/pulumi/ruleset/stored";
import { makeFakeHost } from "../../fake-host";

vi.mock("node:timers/promises", () => ({ setTimeout: async () => undefined }));
vi.mock("../../../../src/change/open-routes", () => ({ withRoutes: vi.fn(), withProvingRoutes: vi.fn() }));

const connection = { host: "edge.test", password: "very private words" };
const origin = "organization/urn:pulumi:lab::lab::knockgate:index:KnockGate::edge";
const key = "0123456789abcdef0123456789abcdef";
const secrets = /47001|58002|58003|very private/;
const none = { changes: false, replaces: [], deleteBeforeReplace: false };

const policyOf = (udp: number) => ({
  name: "edge",
  gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [{ tcp: 47_001 }, { udp }] } }],
  acceptRisks: ["knock-too-short"],
});

function parse(raw: object): Policy {
  const reading = parsePolicy(raw);
  if (reading.kind === "wrong") throw new Error(reading.findings[0]?.message);
  return reading.policy;
}

/** Inputs as the engine stores them. */
async function checked(olds: Properties, more: object = {}): Promise<Properties> {
  const given = { connection, policy: policyOf(58_002), origin, sealed: "", __provider: "text", ...more };
  const { inputs, failures } = await check(olds, given);
  expect(failures).toEqual([]);
  return inputs;
}

beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  const host = makeFakeHost({ policies: [58_002, 58_003].map((udp) => parse(policyOf(udp))) });
  vi.mocked(withProvingRoutes).mockImplementation(async (_way, _policies, _log, use) => use(host.context));
  vi.mocked(withRoutes).mockImplementation(async (_way, _policies, _log, use) => use(host.context));
});

describe("what the engine stores", () => {
  test("has the ruleset once, in the inputs, folded and without a secret", async () => {
    const inputs = await checked({});
    const { ruleset, sealed, ...others } = inputs;
    expect(Object.keys(others).sort()).toEqual(["__provider", "drift", "reachedBy", "undoAfterSeconds"]);
    expect(unfoldFamilies(`${ruleset}`)).toMatch(/udp dport <ssh-2:[0-9a-f]{6}> ip6 saddr/);
    expect(JSON.stringify([ruleset, others])).not.toMatch(secrets);
    expect(Object.keys(unseal(sealed) ?? {})).toEqual(["redactionKey", "hidden", "policy"]);
    const { outs } = await create(inputs);
    const shown = ["counters", "drift", "reachedBy"];
    expect(Object.keys(outs).sort()).toEqual(["__provider", ...shown, "sealed", "undoAfterSeconds"]);
    expect(unseal(outs["sealed"])).toMatchObject({ connection, origin, policy: { name: "edge" } });
    expect(unseal(outs["sealed"])).not.toHaveProperty("ruleset");
  });

  test("shows that a hidden argument changed, and nothing else changes with it", async () => {
    const inputs = await checked({});
    expect(await checked(inputs)).toEqual(inputs);
    const { sealed: _was, ...others } = inputs;
    const { sealed, ...moved } = await checked(inputs, { behind: [] });
    expect(moved).toEqual({ ...others, reachedBy: expect.anything() });
    expect(sealed).not.toBe(inputs["sealed"]);
  });

  test.each([
    ["of a failed change", { failure: "ill", ruleset: "", digest: "", former: [policyOf(58_003)] }],
    ["of a host with another ruleset", { ruleset: "table inet other", drift: ["changed outside: x"] }],
    ["of a host that was counted", { counters: { ssh: { accepted: 1, dropped: 2 } }, obstacles: ["a rule"] }],
  ])("is all of the state %s", async (_what, more) => {
    const complete = openState((await create(await checked({}))).outs);
    const state = { ...complete, ...more };
    expect(openState(storeState(state))).toEqual(state);
  });
});

describe("inputs that were checked", () => {
  test("are no difference from the state that was made of them, and one after a change", async () => {
    const inputs = await checked({});
    const { id, outs } = await create(inputs);
    expect(await diff(id, outs, await checked(inputs))).toEqual(none);
    const news = await checked(inputs, { policy: policyOf(58_003) });
    expect(await diff(id, outs, news)).toMatchObject({ changes: true, replaces: [] });
    const after = (await update(id, outs, news)).outs;
    expect(await diff(id, after, news)).toEqual(none);
    const elsewhere = await checked(news, { connection: { ...connection, host: "other.test" } });
    expect(await diff(id, after, elsewhere)).toMatchObject({ replaces: ["connection"] });
  });

  test("need not have been checked by the process that compares them in a refresh", async () => {
    const inputs = await checked({});
    const { id, outs } = await create(inputs);
    const { redactionKey = "", hidden = "" } = unseal(inputs["sealed"]) ?? {};
    // The same content in another text: no process has checked it.
    const ofState = { ...inputs, sealed: seal({ hidden, redactionKey }) };
    expect(ofState.sealed).not.toBe(inputs["sealed"]);
    expect(await diff(id, outs, ofState)).toEqual(none);
    const other = { ...inputs, sealed: seal({ redactionKey, hidden: "00ff" }) };
    expect(await diff(id, outs, other)).toMatchObject({ changes: true });
  });

  test("are needed for a change", async () => {
    const { outs, id } = await create(await checked({}));
    const unchecked = { sealed: seal({ redactionKey: key, hidden: "00ff" }) };
    await expect(create(unchecked)).rejects.toThrow(/No host was contacted.*\[ARGUMENTS_INVALID\]/);
    await expect(update(id, outs, unchecked)).rejects.toThrow("[ARGUMENTS_INVALID]");
  });
});

test("a refresh finds the inputs and the state that were stored, where the host is as it was left", async () => {
  const inputs = await checked({});
  const { id, outs } = await create(inputs);
  const seen = await read(id, outs);
  expect(seen.inputs).toEqual(inputs);
  expect(seen.props).toEqual({ ...outs, counters: expect.anything() });
});
