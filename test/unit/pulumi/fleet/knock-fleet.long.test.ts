import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { KnockFleetArgs } from "../../../../src/pulumi/fleet/args";
import { KnockFleet } from "../../../../src/pulumi/fleet/knock-fleet";
import { openSecrets } from "../../../../src/pulumi/plugin/secrets";
import { type Sealed, seal } from "../../../../src/pulumi/ruleset/sealed";

/**
 * The form of a secret on its way to the engine (specialSigKey and specialSecretSig in @pulumi/pulumi's runtime/rpc).
 */
const secret = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  value,
});

const steps = [{ tcp: 47_001 }, { udp: 58_002 }];
const policy = { name: "edge", gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }] };
const other = { ...policy, name: "rim" };
const hosts = {
  a: { connection: { host: "192.0.2.1" } },
  b: { connection: { host: "192.0.2.2" } },
  c: { connection: { host: "192.0.2.3" } },
};
const connection = { user: "ops", privateKey: "very private" };
const rulesetType = "pulumi-nodejs:dynamic/knockgate:Ruleset";
const waveType = "pulumi-nodejs:dynamic/knockgate:Wave";
const lastChange = { at: "2026-01-02T03:04:05.678Z", seconds: 2 };
/** Properties that a host's resource knows only after a change. */
let seen: Record<string, { readonly failure?: string; readonly former?: readonly object[] }>;

let registered: pulumi.runtime.MockResourceArgs[];
/** The requests to register resources. They say more than the mocks do. */
let requests: Request[];

interface Request {
  getName(): string;
  getParent(): string;
  getDependenciesList(): readonly string[];
  getPropertydependenciesMap(): Map<string, { getUrnsList(): readonly string[] }>;
  getAdditionalsecretoutputsList(): readonly string[];
}

beforeEach(async () => {
  registered = [];
  seen = {};
  await pulumi.runtime.setMocks({
    newResource: (args) => {
      registered.push(args);
      const ruleset = { failure: "", lastChange };
      const wave = { summary: { wave: args.inputs["wave"] } };
      const { former = [], ...told } = seen[args.name] ?? {};
      const sealed = () => seal({ ...openSecrets(args.inputs), digest: "d19e57", former } as Sealed);
      const outs = args.type === rulesetType ? { ...ruleset, ...told, sealed: sealed() } : wave;
      return { id: `${args.name}-id`, state: { ...args.inputs, ...(args.custom ? outs : {}) } };
    },
    call: () => ({}),
  });
  requests = [];
  const monitor = pulumi.runtime.getMonitor();
  const register = monitor?.registerResource.bind(monitor);
  const registerResource = (request: Request, answer: unknown) => {
    requests.push(request);
    return register?.(request as never, answer as never);
  };
  Object.assign(monitor ?? {}, { registerResource });
});
// What one test started must not go on among the mocks of the next.
afterEach(() => pulumi.runtime.disconnect());

/** Makes a fleet and waits until all of it is registered. */
async function makeFleet(args: Partial<KnockFleetArgs> = {}): Promise<KnockFleet> {
  const fleet = new KnockFleet("web", { hosts, connection, policy, ...args });
  await waitFor(fleet.summary);
  return fleet;
}

function waitFor<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}

/** The inputs of a child. */
function inputsOf(name: string): Readonly<Record<string, unknown>> {
  const { __provider, ...inputs } = registered.find((one) => one.name === name)?.inputs ?? {};
  return inputs;
}

function requestOf(name: string): Request | undefined {
  return requests.find((request) => request.getName() === name);
}

/** The names of the resources that a child depends on. */
function dependenciesOf(name: string): readonly string[] | undefined {
  return requestOf(name)
    ?.getDependenciesList()
    .map((urn) => urn.split("::").at(-1) ?? "")
    .sort();
}

test("a fleet has the profile of each of its hosts, by the host's name and secret", async () => {
  const { profiles, hosts: gated } = await makeFleet();
  const gates = [{ gate: "ssh", protect: [{ tcp: "22" }], steps }];
  const all = await waitFor(profiles);
  expect(Object.keys(all)).toEqual(["a", "b", "c"]);
  const way = { host: "192.0.2.2", port: 22, user: "ops" };
  expect(all["b"]).toMatchObject({ name: "web-b", way, gates });
  expect(await waitFor(gated["b"]?.profile as pulumi.Output<unknown>)).toEqual(all["b"]);
  expect(await pulumi.isSecret(profiles as pulumi.Output<unknown>)).toBe(true);
});

describe("the children of a fleet", () => {
  test("are a ruleset for each host and a wave for each wave, with the fleet as their parent", async () => {
    await makeFleet({ rollout: { waves: [{ hosts: ["b"] }, { percent: 100 }] } });
    expect(registered.map(({ type, name }) => `${type} ${name}`).sort()).toEqual([
      "knockgate:index:KnockFleet web",
      `${rulesetType} web-a`,
      `${rulesetType} web-b`,
      `${rulesetType} web-c`,
      `${waveType} web-wave-1`,
      `${waveType} web-wave-2`,
    ]);
    const parents = requests.slice(1).map((request) => request.getParent());
    expect(new Set(parents)).toEqual(new Set(["urn:pulumi:stack::project::knockgate:index:KnockFleet::web"]));
  });

  test("go wave by wave: a ruleset comes after the wave before, and a wave after its rulesets", async () => {
    await makeFleet({ rollout: { waves: [{ hosts: ["b"] }, { count: 1 }] } });
    expect(dependenciesOf("web-b")).toEqual([]);
    expect(dependenciesOf("web-wave-1")).toEqual(["web-b"]);
    expect(dependenciesOf("web-a")).toEqual(["web-wave-1"]);
    expect(dependenciesOf("web-wave-2")).toEqual(["web-a"]);
    expect(dependenciesOf("web-c")).toEqual(["web-wave-2"]);
    expect(dependenciesOf("web-wave-3")).toEqual(["web-c"]);
  });

  test("do not name a wave's rulesets twice, as what it and what its hosts depend on", async () => {
    await makeFleet();
    const dependencies = requestOf("web-wave-1")?.getPropertydependenciesMap();
    expect(dependencies?.get("hosts")?.getUrnsList()).toEqual([]);
  });

  test("leave providers in the state that hold nothing of the package but its name", async () => {
    await makeFleet();
    for (const name of ["web-a", "web-wave-1"]) {
      const text: string = registered.find((one) => one.name === name)?.inputs["__provider"] ?? "";
      expect(text).toMatch(/^exports\.handler=\(\)=>require\("knockgate\/provider"\)(\.wave)?$/);
    }
  });
});

describe("a host's ruleset", () => {
  test("has connection and policy as secrets, and records failures", async () => {
    await makeFleet();
    expect(inputsOf("web-a")).toEqual({
      connection: secret({ ...connection, host: "192.0.2.1" }),
      policy: secret(policy),
      recordFailure: true,
      origin: "/urn:pulumi:stack::project::knockgate:index:KnockFleet::web/a",
      sealed: secret(""),
    });
  });

  test("has its host's own fields in place of those for all hosts, field by field", async () => {
    const own = {
      connection: { host: "192.0.2.9", user: "root" },
      policy: { allowFrom: ["192.0.2.0/24"] },
      proveFrom: { host: "198.51.100.9" },
    };
    const proveFrom = { host: "198.51.100.1" };
    await makeFleet({
      hosts: { ...hosts, a: { ...own, connection: pulumi.output(own.connection) } },
      connection: pulumi.output(connection),
      policy: pulumi.secret({ ...policy, allowFrom: ["203.0.113.0/24"] }),
      proveFrom,
    });
    expect(inputsOf("web-a")).toMatchObject({
      connection: secret({ host: "192.0.2.9", user: "root", privateKey: "very private" }),
      policy: secret({ ...policy, allowFrom: ["192.0.2.0/24"] }),
      proveFrom: secret(own.proveFrom),
    });
    expect(inputsOf("web-b")).toMatchObject({
      connection: secret({ ...connection, host: "192.0.2.2" }),
      policy: secret({ ...policy, allowFrom: ["203.0.113.0/24"] }),
      proveFrom: secret(proveFrom),
    });
  });

  test("has its host's own profiles of machines on the way in place of those for all hosts", async () => {
    const gates = [{ gate: "ssh", protect: [{ tcp: "22" }], openForSeconds: 30, steps }];
    const profileOf = (name: string) => ({ name, way: { host: name, port: 22, user: "ops" }, gates });
    const [forAll, own] = [[profileOf("bastion")], [profileOf("other"), profileOf("third")]];
    await makeFleet({ hosts: { ...hosts, a: { ...hosts.a, hopProfiles: own } }, hopProfiles: forAll });
    expect(inputsOf("web-a")["hopProfiles"]).toEqual(secret(own));
    expect(inputsOf("web-b")["hopProfiles"]).toEqual(secret(forAll));
  });

  test("has the policy of its host's group", async () => {
    const grouped = { a: { group: "front" }, b: { group: "back", policy: { stealth: true } } };
    const fleet = new KnockFleet("web", {
      hosts: grouped,
      connection,
      policies: { front: policy, back: other },
    });
    await waitFor(fleet.summary);
    expect([inputsOf("web-a")["policy"], inputsOf("web-b")["policy"]]).toEqual([
      secret(policy),
      secret({ ...other, stealth: true }),
    ]);
  });

  test("gets the health command, whether to keep the former policy, and the inputs of a gate", async () => {
    await makeFleet({
      undoAfterSeconds: 90,
      adopt: true,
      deleteUnreachable: true,
      rollout: { healthCommand: "true", healthTimeoutSeconds: 9, onFailure: "undo" },
    });
    const told = { undoAfterSeconds: 90, adopt: true, deleteUnreachable: true, keepFormer: true };
    const health = { command: "true", timeoutSeconds: 9 };
    for (const name of ["web-a", "web-b", "web-c"]) {
      expect(inputsOf(name)).toMatchObject({ ...told, health, recordFailure: true });
    }
  });
});

describe("a wave", () => {
  test("gets its place, its limits, and the results of its hosts, in their order", async () => {
    seen = { "web-b": { failure: "no way in" } };
    const waves = [{ hosts: ["c", "b"] }, { count: 5 }];
    await makeFleet({ rollout: { waves, pauseBetweenSeconds: 60, maxFailures: 2 } });
    const common = { fleet: "web", of: 2, maxFailures: 2, onFailure: "halt" };
    expect(inputsOf("web-wave-1")).toEqual({
      ...common,
      wave: 1,
      pauseSeconds: 60,
      hosts: [
        { name: "c", lastChange, failure: "" },
        { name: "b", lastChange, failure: "no way in" },
      ],
    });
    expect(inputsOf("web-wave-2")).toEqual({
      ...common,
      wave: 2,
      // The last wave has nothing to wait for.
      pauseSeconds: 0,
      hosts: [{ name: "a", lastChange, failure: "" }],
    });
  });

  test("that may have to be undone gets, as a secret, all that an undo needs", async () => {
    const former = [other];
    seen = { "web-a": { former } };
    const proveFrom = { host: "198.51.100.1" };
    const rollout = { healthCommand: "true", onFailure: "undo" };
    const only = { a: hosts.a };
    const hopProfiles = [{ name: "bastion", way: { host: "bastion", port: 22, user: "ops" }, gates: [] }];
    await makeFleet({ hosts: only, undoAfterSeconds: 90, proveFrom, hopProfiles, rollout });
    expect(inputsOf("web-wave-1")["rulesets"]).toEqual(
      secret({
        a: {
          id: "web-a-id",
          state: {
            connection: { ...connection, host: "192.0.2.1" },
            policy,
            proveFrom,
            hopProfiles,
            undoAfterSeconds: 90,
            origin: expect.stringContaining("knockgate:index:KnockFleet::web/a"),
            health: { command: "true", timeoutSeconds: 30 },
            former,
          },
        },
      }),
    );
    // An input that is a secret stays one in the state; a wave has no output of this name.
    expect(requestOf("web-wave-1")?.getAdditionalsecretoutputsList()).toEqual([]);
  });
});

describe("what a fleet gives its program", () => {
  test("is each host by its name, its knock and digest as secrets, and the waves' results", async () => {
    const former = [{ ...policy, gates: [] }];
    seen = { "web-b": { failure: "ill", former }, "web-c": { failure: "ill" } };
    const { hosts: gated, summary } = await makeFleet({ rollout: { waves: [{ count: 2 }] } });
    expect(Object.keys(gated)).toEqual(["a", "b", "c"]);
    expect(await waitFor(summary)).toEqual([{ wave: 1 }, { wave: 2 }]);
    const { a, b, c } = gated as Required<Record<string, (typeof gated)[string]>>;
    expect(await waitFor(a?.knock as pulumi.Output<unknown>)).toEqual([
      expect.objectContaining({ gate: "ssh", steps }),
    ]);
    expect(await pulumi.isSecret(a?.knock as pulumi.Output<unknown>)).toBe(true);
    expect(await pulumi.isSecret(a?.digest as pulumi.Output<unknown>)).toBe(true);
    // Failed hosts have what they had before: here a policy without a gate, and nothing.
    expect(await waitFor(b?.knock as pulumi.Output<unknown>)).toEqual([]);
    expect(await waitFor(c?.knock as pulumi.Output<unknown>)).toEqual([]);
  });

  test("is registered nowhere: the states of hosts and waves have what it is made from", async () => {
    const register = vi.spyOn(
      pulumi.ComponentResource.prototype as unknown as { registerOutputs(outputs: object): void },
      "registerOutputs",
    );
    await makeFleet();
    expect(register.mock.calls.flat()).toEqual([{}]);
    register.mockRestore();
  });
});

test("a fleet that is wrong says all of it at once, and has no child", async () => {
  const args = { hosts: { "a b": {} }, rollout: { waves: [{}] } };
  const make = () => new KnockFleet("web", args);
  for (const words of ["fleet web is not valid", "fleet-hosts", "fleet-policy", "wave-choice"]) {
    expect(make).toThrow(words);
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(registered.filter(({ custom }) => custom)).toEqual([]);
});
