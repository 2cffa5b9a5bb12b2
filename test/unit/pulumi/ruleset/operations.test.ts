import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { renderPolicy } from "../../../../src/backends/render";
import { withProvingRoutes, withRoutes } from "../../../../src/change/open-routes";
import { digestText } from "../../../../src/policy/digest";
import { parsePolicy } from "../../../../src/policy/parse";
import type { Policy } from "../../../../src/policy/policy";
import { writePolicy } from "../../../../src/policy/written-policy";
import type { Properties } from "../../../../src/pulumi/properties";
import {
  check,
  create,
  diff,
  read,
  delete as remove,
  update,
} from "../../../../src/pulumi/ruleset/operations";
import { listPossible } from "../../../../src/pulumi/ruleset/record-change";
import { type FakeHost, type FakeHostOptions, type Fault, makeFakeHost } from "../../fake-host";

vi.mock("node:timers/promises", () => ({ setTimeout: async () => undefined }));
vi.mock("../../../../src/change/open-routes", () => ({ withRoutes: vi.fn(), withProvingRoutes: vi.fn() }));

const id = "edge-1";
const connection = { host: "edge.test", password: "very private words" };
const [oldPolicy, newPolicy, newerPolicy] = [[47_001], [41_101, 52_102], [33_103, 44_104]].map((ports) =>
  makePolicy(ports),
) as [Policy, Policy, Policy];
const policies = [oldPolicy, newPolicy, newerPolicy];
/** The policies as a state holds them. */
const [old, next, newer] = policies.map(writePolicy);
const digestOf = (policy: Policy) => digestText(renderPolicy(policy));
const ports = /47001|41101|52102|33103|44104|very private/;
const fleet = { recordFailure: true };
const confirmedOld = { policy: oldPolicy, owner: id };
const ill: Fault = { at: "health", kind: "refuses", code: 9 };
/** The answer to confirm is lost, and the host can't be reached any more. */
const lost: Fault = { at: "confirm", kind: "cut after", vanishes: true };

let host: FakeHost;
let logged: string[];

function makePolicy(steps: readonly number[]): Policy {
  const gate = {
    name: "ssh",
    protect: [{ tcp: "22" }],
    knock: { steps: steps.map((port) => ({ tcp: port })) },
  };
  const reading = parsePolicy({ name: "edge", gates: [gate], acceptRisks: ["knock-too-short"] });
  if (reading.kind === "wrong") throw new Error(reading.findings[0]?.message);
  return reading.policy;
}

function setHost(options: Partial<FakeHostOptions>): FakeHost {
  host = makeFakeHost({ policies, ...options });
  return host;
}

/** Inputs as `check` makes them. */
async function inputsOf(policy: Policy, more: object = {}, olds: Properties = {}): Promise<Properties> {
  const health = { command: "true" };
  const { inputs, failures } = await check(olds, {
    connection,
    policy: writePolicy(policy),
    health,
    redactionKey: "",
    ...fleet,
    ...more,
  });
  expect(failures).toEqual([]);
  return inputs;
}

/** The state of a host that has confirmed a policy. */
async function stateOf(policy: Policy, more: object = {}): Promise<Properties> {
  setHost({});
  const { outs } = await create(await inputsOf(policy, more));
  return outs;
}

/** Updates a host that has the old policy to the new one. */
async function updateOld(options: Partial<FakeHostOptions>, more: object = {}) {
  const olds = await stateOf(oldPolicy, more);
  const news = await inputsOf(newPolicy, more, olds);
  setHost({ confirmed: confirmedOld, ...options });
  return { olds, news, ...(await update(id, olds, news)) };
}

beforeEach(() => {
  logged = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => logged.push(line));
  vi.mocked(withRoutes).mockImplementation((_connection, _policies, _log, use) => use(host.context));
  vi.mocked(withProvingRoutes).mockImplementation((_wanted, _policies, _log, use) => use(host.context));
});
afterEach(() => {
  const said = [...logged, ...host.lines].join("\n");
  vi.restoreAllMocks();
  expect(said).not.toMatch(ports);
});

describe("a change that went well", () => {
  test("leaves no failure and says when it was, where failures are recorded", async () => {
    const inputs = await inputsOf(oldPolicy);
    setHost({});
    const { outs } = await create(inputs);
    const { lastChange, ...rest } = outs;
    const seen = { digest: digestOf(oldPolicy), obstacles: [], drift: [], counters: {} };
    expect(rest).toEqual({ ...inputs, ...seen, failure: "", former: [] });
    expect(lastChange).toEqual({
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      seconds: expect.any(Number),
    });
  });

  test("leaves neither elsewhere", async () => {
    const outs = await stateOf(oldPolicy, { recordFailure: undefined });
    expect(Object.keys(outs)).not.toEqual(expect.arrayContaining(["failure"]));
    expect([outs["former"], outs["lastChange"]]).toEqual([undefined, undefined]);
  });

  test.each([
    [true, [old]],
    [false, []],
  ])("keeps the host's former policy only where that is asked for: %s", async (keepFormer, former) => {
    const { outs } = await updateOld({}, { keepFormer });
    expect(outs).toMatchObject({ former, failure: "", digest: digestOf(newPolicy) });
  });

  test("keeps no former policy where there was none", async () => {
    expect((await stateOf(oldPolicy, { keepFormer: true }))["former"]).toEqual([]);
  });
});

describe("a change that failed, where failures are recorded", () => {
  test("says so in the state and in the log, beside what the host still has", async () => {
    const { olds, news, outs } = await updateOld({ faults: [ill] });
    expect(outs["failure"]).toMatch(/exit code 9\. The host has put back what it had before\./);
    const { failure, former, lastChange, ...rest } = outs;
    expect(rest).toEqual({
      ...news,
      digest: digestOf(oldPolicy),
      ruleset: olds["ruleset"],
      drift: [],
      counters: {},
      obstacles: [],
    });
    expect([former, lastChange]).toEqual([[old], { at: expect.any(String), seconds: expect.any(Number) }]);
    expect(logged).toContain(`failed: ${failure}`);
    expect(outs["failure"]).not.toMatch(ports);
  });

  test("as a first one leaves a state of a host that has nothing", async () => {
    setHost({ isUnreachable: true });
    const { outs } = await create(await inputsOf(newPolicy));
    expect(outs).toMatchObject({ digest: "", ruleset: "", drift: [], former: [] });
    expect(outs["failure"]).toMatch(/Nothing was changed on the host\..*\[UNREACHABLE\]/);
    expect(listPossible(outs, newPolicy)).toEqual([]);
  });

  test("whose answer to confirm was lost leaves a state that knows both policies", async () => {
    const { outs } = await updateOld({ faults: [lost] });
    expect(outs).toMatchObject({ digest: digestOf(oldPolicy), former: [old, next] });
  });

  test("whose answer was lost in a first change leaves a state that knows the new policy", async () => {
    setHost({ faults: [lost] });
    const { outs } = await create(await inputsOf(newPolicy));
    expect(outs).toMatchObject({ digest: "", former: [next] });
  });

  test("and then fails again keeps the first former policy, and has each policy once", async () => {
    const { outs: first } = await updateOld({ faults: [lost] });
    setHost({ isUnreachable: true });
    const { outs } = await update(id, first, await inputsOf(newPolicy, {}, first));
    expect(outs).toMatchObject({ digest: digestOf(oldPolicy), former: [old, next] });
    setHost({ confirmed: confirmedOld, faults: [lost] });
    const { outs: last } = await update(id, outs, await inputsOf(newerPolicy, {}, outs));
    expect(last["former"]).toEqual([old, next, newer]);
  });

  test("is thrown nevertheless when the error is not ours", async () => {
    vi.mocked(withProvingRoutes).mockRejectedValue(new TypeError("a slip"));
    await expect(create(await inputsOf(newPolicy))).rejects.toThrow(TypeError);
  });
});

describe("a change that failed elsewhere", () => {
  const more = { recordFailure: false };

  test("is thrown, and carries no state where the host has what it had", async () => {
    const error = await updateOld({ faults: [ill] }, more).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: "NOT_CONFIRMED" });
    expect(Object.keys(error as object)).not.toEqual(expect.arrayContaining(["properties"]));
    expect(logged.join()).not.toContain("failed: ");
  });

  test("carries the state that knows both knocks where the host may have confirmed", async () => {
    const error = await updateOld({ faults: [lost] }, more).catch((cause: unknown) => cause);
    const { message, properties } = error as { message: string; properties: Properties };
    expect(error).toMatchObject({ id, reasons: [message] });
    expect(properties).toMatchObject({ connection, policy: next, failure: message });
    expect(properties).toMatchObject({ former: [old, next], digest: digestOf(oldPolicy) });
    expect(message).not.toMatch(ports);
  });

  test("carries it after a first one, too, with an id", async () => {
    setHost({ faults: [lost] });
    const error = await create(await inputsOf(newPolicy, more)).catch((cause: unknown) => cause);
    expect(error).toMatchObject({
      id: expect.stringMatching(/edge/),
      properties: { former: [next], digest: "" },
    });
  });

  test("is cleared when a later change succeeds", async () => {
    const error = await updateOld({ faults: [lost] }, more).catch((cause: unknown) => cause);
    const { properties } = error as { properties: Properties };
    setHost({ confirmed: { policy: newPolicy, owner: id } });
    const { outs } = await update(id, properties, await inputsOf(newPolicy, more, properties));
    expect(outs).toMatchObject({ digest: digestOf(newPolicy) });
    expect([outs["failure"], outs["former"]]).toEqual([undefined, undefined]);
  });
});

describe("a host whose last change failed", () => {
  test.each([
    ["what it had before", oldPolicy],
    ["what it may have confirmed", newPolicy],
  ])("is reached and changed by %s", async (_what, has) => {
    const { outs: olds } = await updateOld({ faults: [lost] });
    setHost({ confirmed: { policy: has, owner: id } });
    const { outs } = await update(id, olds, await inputsOf(newerPolicy, {}, olds));
    expect(outs).toMatchObject({ failure: "", former: [], digest: digestOf(newerPolicy) });
    expect(host.state.confirmed?.text).toBe(renderPolicy(newerPolicy));
    const [[, known] = []] = vi.mocked(withProvingRoutes).mock.calls.slice(-1);
    expect(known).toEqual([oldPolicy, newPolicy, newerPolicy]);
  });

  test("is changed again to the same policy, and then keeps what it really had", async () => {
    const { outs: olds, news } = await updateOld({ faults: [ill] }, { keepFormer: true });
    setHost({ confirmed: confirmedOld });
    const { outs } = await update(id, olds, news);
    expect(outs).toMatchObject({ failure: "", former: [old], digest: digestOf(newPolicy) });
  });

  test("is changed like a new one where it never had any", async () => {
    setHost({ isUnreachable: true });
    const { outs: olds } = await create(await inputsOf(newPolicy));
    setHost({});
    const { outs } = await update(id, olds, await inputsOf(newPolicy, {}, olds));
    expect(outs).toMatchObject({ failure: "", digest: digestOf(newPolicy) });
  });

  test("never equals the wanted state", async () => {
    const { outs: olds, news } = await updateOld({ faults: [ill] });
    // The state after somebody fixed the host by hand, and a refresh saw it.
    const state = { ...olds, digest: digestOf(newPolicy), ruleset: news["ruleset"] };
    expect(await diff(id, { ...state, failure: "" }, news)).toMatchObject({ changes: false });
    expect(await diff(id, state, news)).toMatchObject({ changes: true, replaces: [] });
  });

  test("keeps its failure where an update needs no host", async () => {
    const { outs: olds } = await updateOld({ faults: [ill] });
    const news = await inputsOf(newPolicy, { deleteUnreachable: true }, olds);
    setHost({ isUnreachable: true });
    const { outs } = await update(id, olds, news);
    const { failure, former, lastChange, obstacles, digest, ruleset } = olds;
    expect(outs).toEqual({ ...news, counters: {}, failure, former, lastChange, obstacles, digest, ruleset });
  });

  test("is removed by the knock that it has", async () => {
    const { outs } = await updateOld({ faults: [ill] });
    setHost({ confirmed: confirmedOld });
    await remove(id, outs);
    expect(host.state).toMatchObject({ loaded: undefined, confirmed: undefined });
    expect(vi.mocked(withRoutes).mock.calls.at(-1)?.[1]).toEqual([oldPolicy]);
  });

  test("is not contacted to be removed where it never had any", async () => {
    setHost({ isUnreachable: true });
    const { outs } = await create(await inputsOf(newPolicy));
    vi.mocked(withRoutes).mockClear();
    await remove(id, outs);
    expect(withRoutes).not.toHaveBeenCalled();
    expect(logged).toContain("edge on edge.test: nothing was put there");
  });
});

describe("looking at a host", () => {
  test("that can't be reached says so in its drift, and keeps the rest, where failures are recorded", async () => {
    const state = await stateOf(oldPolicy);
    setHost({ isUnreachable: true });
    const { props, inputs } = await read(id, state);
    const drift = [expect.stringMatching(/^could not be observed: .*\[UNREACHABLE\]$/)];
    expect(props).toEqual({ ...state, drift });
    expect(inputs).toMatchObject({ drift, ruleset: state["ruleset"] });
    for (const name of ["digest", "failure", "former", "lastChange"]) expect(inputs).not.toHaveProperty(name);
  });

  test.each([
    ["has a gate", [], [1]],
    ["has none", [ill], [0]],
  ])("that by the state %s is tried the likelier way first: steps sent", async (_what, faults, steps) => {
    setHost({ faults });
    const { outs: state } = await create(await inputsOf(oldPolicy));
    setHost(faults.length === 0 ? { confirmed: confirmedOld } : {});
    const knock = vi.spyOn(host.context.routes[0] ?? expect.fail(), "knock");
    await read(id, state);
    expect(knock.mock.calls.map(([sent]) => sent.length)).toEqual(steps);
  });

  test("that can't be reached fails elsewhere", async () => {
    const state = await stateOf(oldPolicy, { recordFailure: false });
    setHost({ isUnreachable: true });
    await expect(read(id, state)).rejects.toMatchObject({ code: "UNREACHABLE" });
  });

  test.each([true, false])(
    "whose last change failed shows what it has, without a port of a step: failures recorded: %s",
    async (recordFailure) => {
      const faults = [recordFailure ? ill : lost];
      const ending = updateOld({ faults }, { recordFailure }).then(({ outs }) => outs);
      const state = await ending.catch((cause: { properties: Properties }) => cause.properties);
      setHost({ confirmed: confirmedOld });
      const { props, inputs } = await read(id, state);
      expect(JSON.stringify([props?.["ruleset"], props?.["drift"], inputs?.["ruleset"]])).not.toMatch(ports);
      expect(props).toMatchObject({ drift: [], digest: digestOf(oldPolicy), ruleset: state["ruleset"] });
    },
  );

  test("that was not looked at is a change to make", async () => {
    const state = await stateOf(oldPolicy);
    setHost({ isUnreachable: true });
    const { props } = await read(id, state);
    const news = await inputsOf(oldPolicy, {}, props);
    expect(await diff(id, props ?? {}, news)).toMatchObject({ changes: true });
  });
});
