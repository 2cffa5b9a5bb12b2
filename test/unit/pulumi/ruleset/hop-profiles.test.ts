import { beforeEach, describe, expect, test, vi } from "vitest";
import { renderPolicy } from "../../../../src/backends/render";
import { type ChangeTarget, withProvingRoutes, withRoutes } from "../../../../src/change/open-routes";
import type { ClientPolicy } from "../../../../src/knock/clients/profile";
import { makeProfile } from "../../../../src/knock/clients/profile";
import { digestText } from "../../../../src/policy/digest";
import { putBack } from "../../../../src/pulumi/fleet/rollback";
import type { Properties } from "../../../../src/pulumi/properties";
import { needsHost } from "../../../../src/pulumi/ruleset/needs-host";
import {
  check,
  create,
  diff,
  read,
  delete as remove,
  update,
} from "../../../../src/pulumi/ruleset/operations";
import { readArguments } from "../../../../src/pulumi/ruleset/parse-inputs";
import { openState, storeInputs, storeState } from "../../../../src/pulumi/ruleset/stored";
import { unknownValue } from "../../../../src/pulumi/unknown";
import { makeFakeHost } from "../../fake-host";
import { readPolicy } from "../../policy/read-policy";

vi.mock("node:timers/promises", () => ({ setTimeout: async () => undefined }));
vi.mock("../../../../src/change/open-routes", () => ({ withRoutes: vi.fn(), withProvingRoutes: vi.fn() }));

const id = "edge-1";
const connection = { host: "edge.test", proxy: { host: "192.0.2.1" } };
const secrets = /47001|41101|52102|33103|very-private|4Kq9/;
const policy = {
  name: "edge",
  gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [{ tcp: 47_001 }] } }],
};
const edge = readPolicy(policy);

function profileOf(name: string, host: string, knock: object, users: object = {}) {
  const gates = [{ name: "ssh", protect: [{ tcp: "22" }], knock }];
  const made: ClientPolicy = readPolicy({ name: "way", gates, ...users });
  return makeProfile(name, { host, port: 22, user: "ops" }, made);
}

const bastion = profileOf("bastion", "192.0.2.1", { steps: [{ tcp: 41_101 }, { udp: 52_102 }] });
const changed = profileOf("bastion", "192.0.2.1", { steps: [{ tcp: 33_103 }, { udp: 52_102 }] });
const users = { users: [{ name: "ada", key: `very-private-${"4Kq9".repeat(8)}` }] };
const inner = profileOf("inner", "inner.test", { token: { udp: 62_201 } }, users);

const news = (more: object = {}) => ({ connection, policy, redactionKey: "", ...more });
const places = async (hopProfiles: unknown) => {
  const { failures } = await check({}, news({ hopProfiles }));
  expect(JSON.stringify(failures)).not.toMatch(secrets);
  return failures.map(({ reason }) => reason.split(": ")[0]);
};

/** Inputs as `check` makes them. */
async function inputsOf(more: object = {}, olds: Properties = {}): Promise<Properties> {
  const { inputs, failures } = await check(olds, { ...news(more) });
  expect(failures).toEqual([]);
  return inputs;
}

beforeEach(() => {
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  vi.mocked(withRoutes).mockReset();
  vi.mocked(withProvingRoutes).mockReset();
  const host = makeFakeHost({ policies: [edge] });
  vi.mocked(withRoutes).mockImplementation((_connection, _policies, _log, use) => use(host.context));
  vi.mocked(withProvingRoutes).mockImplementation((_wanted, _policies, _log, use) => use(host.context));
});

describe("profiles of machines on the way", () => {
  test("are outputs of gates that a sequence or tokens open, with fields that nothing here reads", async () => {
    expect(await places([bastion, { ...inner, more: 1, way: { ...inner.way, more: 1 } }])).toEqual([]);
    expect(await places([])).toEqual([]);
    expect(await places([{ ...bastion, gates: [] }])).toEqual([]);
  });

  test("are refused with all that is wrong in them at once, and no value is said", async () => {
    const wrong = [
      "very-private",
      { ...bastion, name: undefined },
      { ...bastion, way: { ...bastion.way, host: "", port: "very-private" } },
      { ...bastion, gates: [{ ...bastion.gates[0], steps: [{ tcp: 41_101 }, { tcp: "very-private" }] }] },
      { ...inner, gates: [{ ...inner.gates[0], key: "very-private", tokens: undefined }, 33_103] },
    ];
    expect(await places(wrong)).toEqual([
      "hopProfiles[0]",
      "hopProfiles[1].name",
      "hopProfiles[2].way.host",
      "hopProfiles[2].way.port",
      "hopProfiles[3].gates[0].steps[1]",
      "hopProfiles[4].gates[0].key",
      "hopProfiles[4].gates[0].tokens",
      "hopProfiles[4].gates[1]",
    ]);
    expect(await places(bastion)).toEqual(["hopProfiles"]);
  });

  test("are refused with the rule and a fix", async () => {
    const { failures } = await check({}, news({ hopProfiles: [{ ...bastion, gates: 1 }] }));
    expect(failures).toEqual([
      {
        property: "",
        reason:
          "hopProfiles[0].gates: can't be read: it is not a list. Fix: Give the output `profile` of a KnockGate, or what its `profileOf` returns. [arguments-shape]",
      },
    ]);
  });

  test.each([
    ["all", unknownValue],
    ["one", [bastion, unknownValue]],
    ["a field", [{ ...bastion, way: { ...bastion.way, host: unknownValue } }]],
    ["the gates", [{ ...bastion, gates: unknownValue }]],
  ])("may not be known yet: %s", async (_what, hopProfiles) => {
    const inputs = await inputsOf({ hopProfiles });
    expect(inputs).toMatchObject({ hopProfiles: unknownValue, reachedBy: { hopProfiles: unknownValue } });
    expect(inputs["ruleset"]).toMatch(/^table inet knockgate_edge/);
  });

  test("are wrong where a known part is, whatever the rest will be", async () => {
    expect(await places([unknownValue, { ...bastion, gates: 1 }])).toEqual(["hopProfiles[1].gates"]);
  });

  test("are shown as one label, which changes with them", async () => {
    const label = async (hopProfiles: unknown) =>
      (await inputsOf({ hopProfiles }, { redactionKey: "00ff" }))["reachedBy"] as Properties;
    const { hopProfiles } = await label([bastion]);
    expect(hopProfiles).toMatch(/^<hopProfiles:[0-9a-f]{6}>$/);
    expect(await label([bastion])).toMatchObject({ hopProfiles });
    expect(await label([changed])).not.toMatchObject({ hopProfiles });
  });
});

describe("a change of them", () => {
  const args = (more: object) => {
    const reading = readArguments(news(more));
    return reading.kind === "arguments" ? reading.arguments : expect.unreachable();
  };

  test("is a change in place that contacts no host", async () => {
    const { outs } = await create(await inputsOf({ hopProfiles: [bastion] }));
    const compare = async (hopProfiles: unknown) => {
      const inputs = await inputsOf(hopProfiles === undefined ? {} : { hopProfiles }, outs);
      return { inputs, ...(await diff(id, outs, inputs)) };
    };
    expect(await compare([structuredClone(bastion)])).toMatchObject({ changes: false });
    expect(await compare([{ gates: bastion.gates, way: bastion.way, name: "bastion" }])).toMatchObject({
      changes: false,
    });
    expect(await compare([bastion, inner])).toMatchObject({ changes: true, replaces: [] });
    expect(await compare(undefined)).toMatchObject({ changes: true, replaces: [] });
    expect(await compare(unknownValue)).toMatchObject({ changes: true, replaces: [] });
    const { inputs, changes, replaces } = await compare([changed]);
    expect([changes, replaces]).toEqual([true, []]);
    vi.mocked(withProvingRoutes).mockClear();
    expect((await update(id, outs, inputs)).outs).toMatchObject({ hopProfiles: [changed] });
    expect(withProvingRoutes).not.toHaveBeenCalled();
  });

  test("does not need the host", () => {
    const [before, after] = [args({}), args({ hopProfiles: [bastion] })];
    const confirmed = { digest: digestText(renderPolicy(edge)), drift: [] };
    expect([needsHost(before, after, confirmed), needsHost(after, before, confirmed)]).toEqual([
      false,
      false,
    ]);
  });
});

describe("what the engine stores", () => {
  test("is not a byte longer without them", async () => {
    const inputs = await inputsOf();
    const { outs } = await create(inputs);
    for (const made of [inputs, outs, storeInputs(inputs), storeState(outs), openState(storeState(outs))])
      expect(JSON.stringify(made)).not.toContain("hop");
  });

  test("has them in the sealed part alone", async () => {
    const { outs } = await create(await inputsOf({ hopProfiles: [bastion, inner] }));
    const { sealed, ...shown } = storeState(outs);
    expect(JSON.stringify(shown)).not.toMatch(/41101|52102|62201|very-private/);
    expect(openState({ sealed })).toMatchObject({ hopProfiles: [bastion, inner] });
  });
});

describe("machines on the way are opened", () => {
  const steps = [{ kind: "tcp", port: 41_101 }, expect.objectContaining({ kind: "udp", port: 52_102 })];
  const way = { port: 22, user: "root", ignoreHostKey: false, dialErrorLimit: 0, perDialTimeout: 1 };
  const opens = (openHop: ChangeTarget["openHop"]) => {
    expect(openHop?.({ host: "192.0.2.1", ...way })?.next()).toEqual(steps);
    expect(openHop?.({ host: "inner", ...way })?.next()).toEqual([
      expect.objectContaining({ kind: "token" }),
    ]);
    expect(openHop?.({ host: "edge.test", ...way })).toBeUndefined();
  };
  /** The openers that the operation gave to what opens routes. */
  const given = () => [
    ...vi.mocked(withProvingRoutes).mock.calls.map(([{ openHop }]) => openHop),
    ...vi.mocked(withRoutes).mock.calls.map((call) => call[5]),
  ];
  const hopProfiles = [bastion, inner];

  test("by each operation, from the inputs or from what the state holds", async () => {
    const inputs = await inputsOf({ hopProfiles });
    const { outs } = await create(inputs);
    const state = openState(storeState(outs));
    const failed = { ...state, drift: ["gone"] };
    for (const act of [
      () => create(inputs),
      () => update(id, failed, inputs),
      () => read(id, state),
      () => remove(id, state),
      () => putBack("a", { id, state: { ...state, former: [] } }),
    ]) {
      vi.mocked(withProvingRoutes).mockClear();
      vi.mocked(withRoutes).mockClear();
      await act().catch(() => undefined);
      expect(given()).toHaveLength(1);
      given().forEach(opens);
    }
  });
});
