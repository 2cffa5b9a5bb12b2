import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type * as putBacks from "../../../../src/pulumi/fleet/rollback";
import { applyAgain, putBack } from "../../../../src/pulumi/fleet/rollback";
import { wave } from "../../../../src/pulumi/fleet/wave-operations";

vi.mock("node:timers/promises", () => ({ setTimeout: vi.fn(async () => undefined) }));
vi.mock("../../../../src/pulumi/fleet/rollback", async (load) => ({
  ...(await load<typeof putBacks>()),
  putBack: vi.fn(),
  applyAgain: vi.fn(),
}));

/** The end of a change, in ms after the run began. */
const at = (afterMs: number) => new Date(performance.timeOrigin + afterMs).toISOString();
const changed = (name: string) => ({ name, lastChange: { at: at(5_000), seconds: 2 }, failure: "" });
const unchanged = (name: string) => ({ name, lastChange: { at: at(-60_000), seconds: 9 }, failure: "" });
const failed = (name: string) => ({ ...changed(name), failure: `${name} is ill [NOT_CONFIRMED]` });

type Host = ReturnType<typeof changed>;

const ruleset = (name: string) => ({ id: `${name}-1`, state: { policy: `secret of ${name}` } });
const inputs = (hosts: readonly Host[], more: object = {}) => ({
  fleet: "web",
  wave: 2,
  of: 3,
  maxFailures: 0,
  pauseSeconds: 0,
  onFailure: "halt",
  hosts,
  ...more,
});
const undo = (hosts: readonly Host[], more: object = {}) =>
  inputs(hosts, {
    onFailure: "undo",
    rulesets: Object.fromEntries(hosts.map(({ name }) => [name, ruleset(name)])),
    ...more,
  });

interface WaveError extends Error {
  readonly code: string;
  readonly id?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly reasons?: readonly string[];
}

const fail = (ending: Promise<unknown>): Promise<WaveError> =>
  ending.then(
    () => Promise.reject(new Error("it went well")),
    (error: WaveError) => error,
  );

let logged: string[];
beforeEach(() => {
  logged = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => logged.push(line));
  vi.mocked(putBack).mockImplementation(async (host) => ({ host, result: "undone", seconds: 1 }));
  vi.mocked(applyAgain).mockImplementation(async (host) => ({ host, result: "changed", seconds: 3 }));
});
afterEach(() => {
  expect(logged.join("\n")).not.toContain("secret of");
  vi.clearAllMocks();
});

/** The hosts that were put back, or brought to their ruleset again, with the data that was used for it. */
const calls = (done: typeof putBack) => vi.mocked(done).mock.calls;

describe("a wave with at most maxFailures failed hosts", () => {
  test("prints and keeps the result of each host", async () => {
    const news = inputs([changed("a"), unchanged("b"), failed("c")], { maxFailures: 1 });
    const { id, outs } = await wave.create(news);
    expect(id).toMatch(/^wave-[0-9a-f-]{36}$/);
    const summary = {
      wave: 2,
      of: 3,
      seconds: 2,
      hosts: [
        { host: "a", result: "changed", seconds: 2 },
        { host: "b", result: "unchanged" },
        { host: "c", result: "failed", seconds: 2, failure: "c is ill [NOT_CONFIRMED]" },
      ],
    };
    expect(outs).toEqual({
      fleet: "web",
      given: expect.stringMatching(/^[0-9a-f]{16}$/),
      undone: [],
      summary,
    });
    expect(logged).toEqual([
      "web: wave 2 of 3: 1 changed, 1 unchanged, 1 failed in 2.0 s",
      "web:   a  changed      2.0 s",
      "web:   b  unchanged",
      "web:   c  failed       2.0 s  c is ill [NOT_CONFIRMED]",
    ]);
  });

  test("does not keep a host's state, which is in the host's own resource", async () => {
    const { outs } = await wave.create(undo([changed("a")]));
    expect(outs).not.toHaveProperty("rulesets");
    expect(JSON.stringify(outs)).not.toContain("secret of");
    expect(calls(putBack)).toEqual([]);
  });

  test("without a changed host prints nothing, does not wait, and keeps the last summary", async () => {
    const news = inputs([unchanged("a"), unchanged("b")], { pauseSeconds: 60 });
    const { outs } = await wave.update("wave-1", { summary: "of an earlier run" }, news);
    expect(outs["summary"]).toBe("of an earlier run");
    expect([logged, vi.mocked(pause).mock.calls]).toEqual([[], []]);
    const first = await wave.create(news);
    expect(first.outs["summary"]).toMatchObject({ seconds: 0, hosts: [{ result: "unchanged" }, {}] });
  });

  test("says that it waits before the next one, and does", async () => {
    await wave.create(inputs([changed("a"), unchanged("b")], { pauseSeconds: 1.5 }));
    expect(vi.mocked(pause).mock.calls).toEqual([[1_500]]);
    expect(logged.at(-1)).toBe("web: wave 2 of 3: waiting 1.5 s before the next one");
  });

  test("does not wait without pauseSeconds", async () => {
    await wave.create(inputs([changed("a")]));
    expect(pause).not.toHaveBeenCalled();
  });
});

describe("a wave with more than maxFailures failed hosts", () => {
  test.each([
    [0, 1],
    [2, 3],
  ])("fails: %i may", async (maxFailures, failures) => {
    const all = ["a", "b", "c"].map((name, index) => (index < failures ? failed(name) : changed(name)));
    expect((await fail(wave.create(inputs(all, { maxFailures })))).code).toBe("WAVE_FAILED");
    const fewer = [changed("a"), ...all.slice(1)];
    expect((await wave.create(inputs(fewer, { maxFailures }))).outs["undone"]).toEqual([]);
  });

  test("names them and what the others have, and leaves no state, so that it is tried again", async () => {
    const hosts = [changed("a"), failed("b"), unchanged("c"), failed("d")];
    const error = await fail(wave.create(inputs(hosts, { maxFailures: 1, pauseSeconds: 60 })));
    expect(error.message).toBe(
      "fleet web: wave 2 of 3: 2 of 4 hosts failed (maxFailures is 1): b, d. Changed hosts that keep the new ruleset: 1. " +
        "No host of a later wave was touched. The lines above say what each failed host has now. " +
        "`pulumi up` tries the failed hosts again and goes on. [WAVE_FAILED]",
    );
    expect([error.id, error.properties, error.reasons]).toEqual([undefined, undefined, undefined]);
    expect(logged[0]).toBe("web: wave 2 of 3: 1 changed, 1 unchanged, 2 failed in 2.0 s");
    expect(pause).not.toHaveBeenCalled();
    expect(calls(putBack)).toEqual([]);
  });

  test("names ten of many, and no later wave if there is none", async () => {
    const hosts = Array.from({ length: 13 }, (_, index) => failed(`h${index}`));
    const { message } = await fail(wave.create(inputs(hosts, { wave: 3 })));
    expect(message).toContain(
      "13 of 13 hosts failed (maxFailures is 0): h0, h1, h2, h3, h4, h5, h6, h7, h8, h9 and 3 more.",
    );
    expect(message).not.toMatch(/later wave|Changed hosts/);
  });
});

describe("a failed wave that is undone", () => {
  const hosts = [changed("a"), failed("b"), unchanged("c"), changed("d")];

  test("puts back the hosts that it changed, and no other", async () => {
    const error = await fail(wave.create(undo(hosts)));
    expect(calls(putBack)).toEqual([
      ["a", ruleset("a")],
      ["d", ruleset("d")],
    ]);
    expect(error.message).toContain(
      "1 of 4 hosts failed (maxFailures is 0): b. Changed hosts that were put back: 2. No host",
    );
    expect(logged).toEqual([
      "web: wave 2 of 3: 1 unchanged, 1 failed, 2 undone in 2.0 s",
      "web:   a  undone       1.0 s",
      "web:   b  failed       2.0 s  b is ill [NOT_CONFIRMED]",
      "web:   c  unchanged",
      "web:   d  undone       1.0 s",
    ]);
  });

  test("gives the engine the result to save with the failed resource, without any host's state", async () => {
    const created = await fail(wave.create(undo(hosts)));
    const undone = [
      { name: "a", at: at(5_000) },
      { name: "d", at: at(5_000) },
    ];
    expect(created).toMatchObject({ id: expect.stringMatching(/^wave-/), reasons: [created.message] });
    const summary = expect.objectContaining({ wave: 2 });
    expect(created.properties).toEqual({ fleet: "web", given: expect.any(String), undone, summary });
    const updated = await fail(wave.update("wave-1", {}, undo(hosts)));
    expect(updated).toMatchObject({ id: "wave-1", properties: { undone } });
  });

  test("says which could not be put back, and does not count them as undone", async () => {
    const failure = "putting it back failed: no way in";
    vi.mocked(putBack).mockImplementation(async (host) =>
      host === "a" ? { host, result: "failed", failure } : { host, result: "undone" },
    );
    const error = await fail(wave.create(undo(hosts)));
    expect(logged[1]).toBe(`web:   a  failed${" ".repeat(14)}${failure}`);
    expect(error.message).toContain("Changed hosts that were put back: 1.");
    expect(error.properties?.["undone"]).toEqual([{ name: "d", at: at(5_000) }]);
  });

  test("saves nothing where nothing was put back", async () => {
    expect(await fail(wave.create(undo([failed("b")])))).not.toHaveProperty("properties");
  });
});

describe("a wave with hosts that were put back in an earlier run", () => {
  const earlier = (...names: string[]) => ({
    undone: names.map((name) => ({ name, at: at(-60_000) })),
    summary: "of an earlier run",
  });

  test("brings those, and no other, to their ruleset again", async () => {
    const news = undo([unchanged("a"), changed("b"), unchanged("c")]);
    const { outs } = await wave.update("wave-1", earlier("a"), news);
    expect(calls(applyAgain)).toEqual([["a", ruleset("a")]]);
    expect(outs).toMatchObject({ undone: [] });
    expect(logged.slice(0, 2)).toEqual([
      "web: wave 2 of 3: 2 changed, 1 unchanged in 2.0 s",
      "web:   a  changed      3.0 s",
    ]);
  });

  test("prints that and waits, even where nothing else was changed", async () => {
    await wave.update("wave-1", earlier("a"), undo([unchanged("a")], { pauseSeconds: 5 }));
    expect(logged[0]).toMatch(/^web: wave 2 of 3: 1 changed/);
    expect(pause).toHaveBeenCalledWith(5_000);
  });

  test("leaves alone a host that was changed since", async () => {
    const { outs } = await wave.update("wave-1", earlier("a", "b"), undo([changed("a"), unchanged("b")]));
    expect(calls(applyAgain).map(([name]) => name)).toEqual(["b"]);
    expect(outs["undone"]).toEqual([]);
  });

  test("keeps the hosts that failed again, if maxFailures allows it", async () => {
    vi.mocked(applyAgain).mockImplementation(async (host) =>
      host === "a" ? { host, result: "failed", failure: "still ill" } : { host, result: "changed" },
    );
    const news = undo([unchanged("a"), unchanged("b")], { maxFailures: 1 });
    const { outs } = await wave.update("wave-1", earlier("a", "b"), news);
    expect(outs["undone"]).toEqual([{ name: "a", at: at(-60_000) }]);
    expect(logged[1]).toContain("still ill");
  });

  test("fails where too many failed again, and puts back those that did not", async () => {
    vi.mocked(applyAgain).mockImplementation(async (host) =>
      host === "a" ? { host, result: "failed", failure: "still ill" } : { host, result: "changed" },
    );
    const news = undo([unchanged("a"), unchanged("b"), changed("c")]);
    const error = await fail(wave.update("wave-1", earlier("a", "b"), news));
    expect(calls(putBack).map(([name]) => name)).toEqual(["b", "c"]);
    expect(error.properties?.["undone"]).toEqual([
      { name: "a", at: at(-60_000) },
      { name: "b", at: at(-60_000) },
      { name: "c", at: at(5_000) },
    ]);
  });

  test("does not begin with them if too many others failed, and keeps them", async () => {
    const news = undo([unchanged("a"), failed("b"), changed("c")]);
    const error = await fail(wave.update("wave-1", earlier("a"), news));
    expect(calls(applyAgain)).toEqual([]);
    expect(calls(putBack).map(([name]) => name)).toEqual(["c"]);
    expect(error.properties?.["undone"]).toEqual([
      { name: "a", at: at(-60_000) },
      { name: "c", at: at(5_000) },
    ]);
  });

  test("warns of those that are no longer in the wave", async () => {
    const { outs } = await wave.update("wave-1", earlier("a", "b"), undo([unchanged("b")]));
    expect(logged[0]).toMatch(
      /^web: warning: hosts that were put back after a wave failed.*: a; `pulumi up --refresh` finds/,
    );
    expect(outs["undone"]).toEqual([]);
  });

  test("warns of those whose way it no longer has, and goes on", async () => {
    const { outs } = await wave.update("wave-1", earlier("a", "b"), inputs([unchanged("a"), changed("b")]));
    expect(logged[0]).toMatch(
      /^web: warning: hosts that were put back after a wave failed.*: a; `pulumi up --refresh` finds/,
    );
    expect(calls(applyAgain)).toEqual([]);
    expect(outs["undone"]).toEqual([]);
  });

  test("warns of all of them when it is deleted", async () => {
    await wave.delete("wave-1", { fleet: "web", ...earlier("a", "b") });
    expect(logged).toEqual([expect.stringMatching(/^web: warning: .*: a, b; `pulumi up --refresh` finds/)]);
    await wave.delete("wave-1", {});
    expect(logged).toHaveLength(1);
  });
});

describe("comparing a wave", () => {
  let olds: Readonly<Record<string, unknown>>;
  beforeEach(async () => {
    ({ outs: olds } = await wave.create(inputs([changed("a")])));
  });

  test("finds no change in the same, whatever its hosts' own states are", async () => {
    const same = { changes: false, replaces: [], deleteBeforeReplace: false };
    expect(await wave.diff("wave-1", olds, inputs([changed("a")]))).toEqual(same);
    expect(await wave.diff("wave-1", olds, inputs([changed("a")], { rulesets: {} }))).toEqual(same);
  });

  test.each<readonly [string, object]>([
    ["a host more", { hosts: [changed("a"), changed("b")] }],
    ["another order of hosts", { hosts: [changed("b"), changed("a")] }],
    [
      "a host that was changed since",
      { hosts: [{ ...changed("a"), lastChange: { at: at(1), seconds: 2 } }] },
    ],
    ["a host that failed", { hosts: [failed("a")] }],
    ["hosts that are not known yet", { hosts: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" }],
    ["the number of waves", { of: 4 }],
    ["how many may fail", { maxFailures: 1 }],
    ["the pause", { pauseSeconds: 9 }],
    ["what is done after a failure", { onFailure: "undo" }],
  ])("finds a change, to be made in place, in %s", async (_what, more) => {
    const changes = { changes: true, replaces: [], deleteBeforeReplace: false };
    expect(await wave.diff("wave-1", olds, inputs([changed("a")], more))).toEqual(changes);
  });

  test("finds a change while a host is still put back", async () => {
    const state = { ...olds, undone: [{ name: "a", at: at(0) }] };
    expect(await wave.diff("wave-1", state, inputs([changed("a")]))).toMatchObject({ changes: true });
  });

  test("contacts no host and fills in nothing", async () => {
    const given = inputs([changed("a")]);
    expect(await wave.check({}, given)).toEqual({ inputs: given, failures: [] });
    expect(await wave.read("wave-1", olds)).toEqual({ id: "wave-1", props: olds });
  });
});
