import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Compiled, loadCompiled } from "./compiled";

const connection = { host: "203.0.113.7", user: "ops", privateKey: "very private" };
const steps = [{ tcp: 47_001 }, { udp: 58_002 }];
const gates = [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps }, openForSeconds: 30 }];
const policy = { name: "edge", gates };

let compiled: Compiled;
beforeAll(() => {
  compiled = loadCompiled();
}, 60_000);
afterAll(() => compiled?.remove());

let registered: pulumi.runtime.MockResourceArgs[] = [];
let seen: { type: string; opts: pulumi.CustomResourceOptions }[] = [];
beforeEach(async () => {
  registered = [];
  seen = [];
  await pulumi.runtime.setMocks({
    newResource: (args) => {
      registered.push(args);
      return { id: `${args.name}-id`, state: { stdout: "", ...args.inputs, ruleset: "table", digest: "d1" } };
    },
    call: () => ({}),
  });
  // The mocked engine knows no hooks.
  const accept = (_request: unknown, answer: (error: null, value: object) => void) => answer(null, {});
  Object.assign(pulumi.runtime.getMonitor() ?? {}, {
    registerResourceHook: accept,
    registerErrorHook: accept,
  });
});

const look: pulumi.ResourceTransformation = ({ type, opts }) => {
  seen.push({ type, opts });
  return undefined;
};

function makeGate() {
  return new compiled.KnockGate("edge", { connection, policy });
}

function waitFor<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}

test("a gate makes its hooks once, and only when somebody wants them", () => {
  const gate = makeGate();
  const { hooks } = gate;
  expect(gate.hooks).toBe(hooks);
  expect(Object.keys(hooks).sort()).toEqual(["beforeCreate", "beforeDelete", "beforeUpdate", "onError"]);
  // The engine finds a hook for a deletion by its name.
  expect(hooks.beforeDelete?.map((hook) => hook.name)).toEqual(["knockgate-open-edge"]);
  expect(hooks.onError?.map((hook) => hook.name)).toEqual(["knockgate-retry-edge"]);
});

test("a guarded command is a remote.Command with the gate's connection, after the gate, with its hooks", async () => {
  const gate = makeGate();
  const own = new pulumi.ResourceHook("own", () => undefined);
  const opts = { hooks: { beforeCreate: [own] }, transformations: [look] };
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

test("@pulumi/command is not given what it does not know", async () => {
  const own = { ...connection, sudoPassword: "hush", ignoreHostKey: true };
  const proxy = { host: "bastion", ignoreHostKey: true };
  const gate = new compiled.KnockGate("edge", { connection: { ...own, proxy }, policy });
  await waitFor(gate.command("hostname", { create: "hostname" }).stdout);
  const made = registered.find(({ type }) => type === "command:remote:Command");
  const given = JSON.stringify(made?.inputs["connection"]);
  expect(given).toContain("very private");
  expect(given).toContain("bastion");
  expect(given).not.toMatch(/hush|sudoPassword|ignoreHostKey/);
});
