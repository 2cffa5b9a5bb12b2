import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { foldFamilies } from "../../../../src/backends/nftables/fold";
import type { KnockGateArgs } from "../../../../src/pulumi/gate/args";
import { KnockGate } from "../../../../src/pulumi/gate/knock-gate";
import { seal } from "../../../../src/pulumi/ruleset/sealed";
import { componentSecrecy } from "../../../../src/pulumi/secrecy";

/**
 * The form of a secret on its way to the engine (specialSigKey and specialSecretSig in @pulumi/pulumi's runtime/rpc).
 */
const secret = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  value,
});

const connection = { host: "203.0.113.7", privateKey: "very private" };
const steps = [{ tcp: 47_001 }, { udp: 58_002 }];
const policy = { name: "edge", gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }] };
const knock = { steps, stepTimeoutSeconds: 5, strict: true };
/** The inputs as the resource's own check completes them. */
const readPolicy = {
  name: "edge",
  gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock, openForSeconds: 30 }],
  allowFrom: [],
};

const digest = "d19e57".padEnd(64, "0");
const redactionKey = "0123456789abcdef0123456789abcdef";

let registered: pulumi.runtime.MockResourceArgs[] = [];
let seenCounters: object | undefined;
/** The policy that the host has. */
let present: object = readPolicy;
/** What the engine answers in place of the usual outputs. */
let stored: object | undefined;
beforeEach(async () => {
  registered = [];
  seenCounters = undefined;
  present = readPolicy;
  stored = undefined;
  await pulumi.runtime.setMocks({
    newResource: (args) => {
      registered.push(args);
      const counted = seenCounters === undefined ? {} : { counters: seenCounters };
      const sealed = seal({ policy: present as never, digest, redactionKey, ruleset: "table" });
      const outs = { sealed, ...counted };
      return { id: `${args.name}-id`, state: { ...args.inputs, ...(args.custom ? (stored ?? outs) : {}) } };
    },
    call: () => ({}),
  });
  // The mocked engine does not support hooks.
  const accept = (_request: unknown, answer: (error: null, value: object) => void) => answer(null, {});
  Object.assign(pulumi.runtime.getMonitor() ?? {}, {
    registerResourceHook: accept,
    registerErrorHook: accept,
  });
});

/** Makes a gate and waits until all of it is registered. */
async function makeGate(
  args: Partial<KnockGateArgs> = {},
  opts?: pulumi.ComponentResourceOptions,
): Promise<KnockGate> {
  const gate = new KnockGate("edge", { connection, policy, ...args }, opts);
  await waitFor(gate.ruleset);
  return gate;
}

function waitFor<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}

// What one test started must not go on among the mocks of the next.
afterEach(() => pulumi.runtime.disconnect());

class Site extends pulumi.ComponentResource {
  constructor(name: string) {
    super("acme:index:Site", name);
  }
}

/** The inputs of resources of one type. */
function watch(seen: { type: string; opts: pulumi.CustomResourceOptions }[]): pulumi.ResourceTransformation {
  return ({ type, opts }) => {
    seen.push({ type, opts });
    return undefined;
  };
}

test("has one child, with connection, policy and key as secrets, whether or not the arguments were", async () => {
  const proveFrom = { host: "198.51.100.2", privateKey: "other words" };
  await makeGate({ undoAfterSeconds: 90, proveFrom, adopt: true, deleteUnreachable: true });
  expect(registered.map(({ type, name, custom }) => [type, name, custom])).toEqual([
    ["knockgate:index:KnockGate", "edge", false],
    ["pulumi-nodejs:dynamic/knockgate:Ruleset", "edge", true],
  ]);
  const { __provider, ...inputs } = registered[1]?.inputs ?? {};
  expect(inputs).toEqual({
    connection: secret(connection),
    policy: secret(policy),
    proveFrom: secret(proveFrom),
    undoAfterSeconds: 90,
    adopt: true,
    deleteUnreachable: true,
    origin: "/urn:pulumi:stack::project::knockgate:index:KnockGate::edge",
    sealed: secret(""),
  });
});

test("gives its child the profiles of machines on the way as one secret, whether or not they were one", async () => {
  const bastion = await makeGate();
  registered = [];
  const hopProfiles = [bastion.profile];
  const gate = new KnockGate("inner", {
    connection: { ...connection, host: "203.0.113.8" },
    policy,
    hopProfiles,
  });
  await waitFor(gate.ruleset);
  const inputs = registered.find(({ custom }) => custom)?.inputs ?? {};
  expect(inputs["hopProfiles"]).toEqual(secret([await waitFor(bastion.profile)]));
});

test("is its child's parent, and asks the engine to keep what comes back secret as well", async () => {
  const seen: { type: string; opts: pulumi.CustomResourceOptions }[] = [];
  const gate = await makeGate({}, { transformations: [watch(seen)] });
  const child = seen.find(({ type }) => type.endsWith(":Ruleset"));
  expect(child?.opts.parent).toBe(gate);
  expect(child?.opts.additionalSecretOutputs).toEqual(["sealed"]);
});

test("shows the ruleset, and keeps digest and knock secret", async () => {
  const gate = await makeGate();
  expect(await waitFor(gate.ruleset)).toBe("table");
  expect(await waitFor(gate.digest)).toBe(digest);
  expect(await waitFor(gate.knock)).toEqual([
    {
      gate: "ssh",
      protect: [{ tcp: "22" }],
      steps,
      stepTimeoutSeconds: 5,
      openForSeconds: 30,
      commands: {
        knock: "knock -d 150 203.0.113.7 47001:tcp 58002:udp",
        nmap: expect.stringContaining(" -p 47001 203.0.113.7 && nmap "),
        bash: expect.stringMatching(/^bash -c '.*\/dev\/tcp\/\$h\/47001"; .* knock 203\.0\.113\.7$/),
        netcat: expect.stringMatching(/^sh -c '.*"\$h" 47001; .* knock 203\.0\.113\.7$/),
      },
    },
  ]);
  expect(await waitFor(gate.sshConfig)).toMatch(/^Host edge\n {2}HostName 203\.0\.113\.7\n {2}User root\n/);
  expect(await waitFor(gate.profile)).toEqual({
    name: "edge",
    way: { host: "203.0.113.7", port: 22, user: "root" },
    gates: [{ gate: "ssh", protect: [{ tcp: "22" }], steps, stepTimeoutSeconds: 5, openForSeconds: 30 }],
  });
  expect(await pulumi.isSecret(gate.ruleset)).toBe(false);
  expect(await pulumi.isSecret(gate.digest)).toBe(true);
  // The cast drops the type parameter, which does not matter here.
  expect(await pulumi.isSecret(gate.knock as pulumi.Output<unknown>)).toBe(true);
  expect(await pulumi.isSecret(gate.sshConfig)).toBe(true);
  expect(await pulumi.isSecret(gate.profile as pulumi.Output<unknown>)).toBe(true);
});

test("makes the profile of each user, with no key but that user's, and warns of one whom the policy lacks", async () => {
  const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue(undefined);
  const [ada, ben] = ["a", "b"].map((letter) => letter.repeat(43));
  present = {
    ...readPolicy,
    users: [
      { name: "ada", key: ada },
      { name: "ben", key: ben, gates: ["ssh"] },
    ],
    deployAs: "ada",
    gates: [
      { ...readPolicy.gates[0], knock: { token: { udp: 62_201 } } },
      { name: "wg", protect: [{ udp: "51820" }], knock: { token: { udp: 62_201 } }, openForSeconds: 30 },
    ],
  };
  const gate = await makeGate();
  const made = gate.profileOf("ben");
  expect(await waitFor(made)).toMatchObject({
    name: "edge-ben",
    way: { host: "203.0.113.7" },
    gates: [{ gate: "ssh", user: "ben", key: ben, policy: "edge", tokenHost: "203.0.113.7" }],
  });
  expect(JSON.stringify(await waitFor(made))).not.toContain(ada);
  expect(await pulumi.isSecret(made as pulumi.Output<unknown>)).toBe(true);
  const { gates } = await waitFor(gate.profileOf("ada"));
  expect(gates.map((one) => [one.gate, one.user])).toEqual([
    ["ssh", "ada"],
    ["wg", "ada"],
  ]);
  expect(warn).not.toHaveBeenCalled();
  expect((await waitFor(gate.profileOf("eve"))).gates).toEqual([]);
  expect(warn.mock.calls).toEqual([[expect.stringContaining("edge: its policy has no user eve")]]);
  warn.mockRestore();
});

test("shows what the last refresh counted, in plain, and none before there was one", async () => {
  expect(await waitFor((await makeGate()).counters)).toEqual({});
  seenCounters = { ssh: { accepted: 1, dropped: 7 } };
  const { counters } = await makeGate();
  expect(await waitFor(counters)).toEqual(seenCounters);
  expect(await pulumi.isSecret(counters as pulumi.Output<unknown>)).toBe(false);
});

test("marks as secret the outputs that the schema for other languages marks", async () => {
  const gate = await makeGate();
  for (const name of ["ruleset", "digest", "knock", "sshConfig", "profile", "counters"] as const) {
    const isSecret = await pulumi.isSecret(gate[name] as pulumi.Output<unknown>);
    expect(isSecret, name).toBe(componentSecrecy[name] === "secret");
  }
});

test("renders the ruleset from what the state has, and shows that of the inputs in a preview", async () => {
  stored = { sealed: seal({ policy: readPolicy as never, digest, redactionKey }) };
  expect(await waitFor((await makeGate()).ruleset)).toMatch(/udp dport <ssh-2:[0-9a-f]{6}> ip6 saddr/);
  stored = { sealed: seal({ redactionKey, hidden: digest }), ruleset: foldFamilies("table of the inputs") };
  const gate = await makeGate();
  expect(await waitFor(gate.ruleset)).toBe("table of the inputs");
  expect(await waitFor(gate.knock)).toMatchObject([{ steps, stepTimeoutSeconds: 5, openForSeconds: 30 }]);
});

test("registers no outputs: the state has what they are made from", async () => {
  const register = vi.spyOn(
    pulumi.ComponentResource.prototype as unknown as { registerOutputs(outputs: object): void },
    "registerOutputs",
  );
  await makeGate();
  expect(register.mock.calls.flat()).toEqual([{}]);
  register.mockRestore();
});

test("takes outputs of other resources for any part of its arguments", async () => {
  await makeGate({
    connection: { host: pulumi.output("203.0.113.7"), privateKey: pulumi.secret("very private") },
    policy: { ...policy, gates: [{ ...policy.gates[0], knock: { steps: pulumi.secret(steps) } }] } as never,
  });
  const [, { inputs } = { inputs: {} }] = registered;
  expect(JSON.stringify(inputs["connection"])).toContain("203.0.113.7");
  expect(inputs["connection"]).toMatchObject({ value: { privateKey: expect.anything() } });
  expect(inputs["policy"]).toMatchObject({ value: { name: "edge" } });
});

test("leaves a provider in the state that holds nothing of the package but its name", async () => {
  await makeGate();
  expect(registered[1]?.inputs["__provider"]).toBe('exports.handler=()=>require("knockgate/provider")');
});

test("a gate registers its hooks before they are used, under names that are unique in the program", async () => {
  const names: string[] = [];
  const accept = (request: { getName(): string }, answer: (error: null, value: object) => void) => {
    names.push(request.getName());
    answer(null, {});
  };
  Object.assign(pulumi.runtime.getMonitor() ?? {}, {
    registerResourceHook: accept,
    registerErrorHook: accept,
  });
  const gate = new KnockGate("edge", { connection, policy });
  const { hooks } = gate;
  expect(gate.hooks).toBe(hooks);
  expect(Object.keys(hooks).sort()).toEqual(["beforeCreate", "beforeDelete", "beforeUpdate", "onError"]);
  // The engine finds a hook of a deletion by its name.
  const place = "knockgate:index:KnockGate::edge";
  expect(hooks.beforeDelete?.map((hook) => hook.name)).toEqual([`knockgate-open-${place}`]);
  expect(hooks.onError?.map((hook) => hook.name)).toEqual([`knockgate-retry-${place}`]);
  const registered = [`knockgate-open-${place}`, `knockgate-retry-${place}`];
  await expect.poll(() => names, { timeout: 30_000 }).toEqual(expect.arrayContaining(registered));
  const parent = new pulumi.ComponentResource("acme:index:Rack", "b", {}, { parent: new Site("a") });
  const below = new KnockGate("edge", { connection, policy }, { parent });
  expect(below.hooks.beforeDelete?.map((hook) => hook.name)).toEqual([
    `knockgate-open-acme:index:Site$acme:index:Rack$${place}`,
  ]);
});

test("a gate whose hooks are not used works with an engine without hooks", async () => {
  const refuse = (_request: unknown, answer: (error: Error) => void) => answer(new Error("unimplemented"));
  Object.assign(pulumi.runtime.getMonitor() ?? {}, {
    registerResourceHook: refuse,
    registerErrorHook: refuse,
  });
  const gate = await makeGate();
  // In this time an unhandled rejection would end the process.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(gate.hooks.beforeCreate).toHaveLength(1);
});

test("a guarded command is a remote.Command with the gate's connection, after the gate, with its hooks", async () => {
  const gate = new KnockGate("edge", { connection, policy });
  const seen: { type: string; opts: pulumi.CustomResourceOptions }[] = [];
  const own = new pulumi.ResourceHook("own", () => undefined);
  const opts = { hooks: { beforeCreate: [own] }, transformations: [watch(seen)] };
  const command = gate.command("hostname", { create: "hostname" }, opts);
  expect(command).toBeInstanceOf(remote.Command);
  await waitFor(command.stdout);
  const made = registered.find(({ type }) => type === "command:remote:Command");
  expect(made?.inputs["create"]).toBe("hostname");
  expect(JSON.stringify(made?.inputs["connection"])).toContain(connection.host);
  const given = seen.find(({ type }) => type === "command:remote:Command")?.opts;
  expect(given?.hooks?.beforeCreate?.[0]).toBe(own);
  expect(given?.hooks?.beforeCreate?.[1]).toBe(gate.hooks.beforeCreate?.[0]);
  expect(given?.hooks?.onError).toEqual(gate.hooks.onError);
  expect(await waitFor(pulumi.output(given?.dependsOn).apply((all) => [all].flat().includes(gate)))).toBe(
    true,
  );
});

test("@pulumi/command does not get fields that it does not know", async () => {
  const own = { ...connection, sudoPassword: "hush", ignoreHostKey: true };
  const proxy = { host: "bastion", ignoreHostKey: true };
  const gate = new KnockGate("edge", { connection: { ...own, proxy }, policy });
  await waitFor(gate.command("hostname", { create: "hostname" }).stdout);
  const made = registered.find(({ type }) => type === "command:remote:Command");
  const given = JSON.stringify(made?.inputs["connection"]);
  expect(given).toContain("very private");
  expect(given).toContain("bastion");
  expect(given).not.toMatch(/hush|sudoPassword|ignoreHostKey/);
});
