import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { KnockFleet, type KnockFleetArgs, KnockGate, type KnockGateArgs } from "knockgate";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openStack } from "../../../lab/stack";
import { version } from "../../../package.json";
import { check, wave } from "../../../src/pulumi/ruleset/provider";
import { breakAllAtOnce, breakInputs, canary, type Inputs, schema } from "./broken-inputs";
import { ask, type RunningPlugin, startPlugin } from "./running-plugin";
import { SmallEngine } from "./small-engine";

vi.setConfig({ testTimeout: 120_000 });

const root = join(__dirname, "..", "..", "..");
const connection = { host: "203.0.113.7", user: "ops", password: "any", ignoreHostKey: true };
const steps = [{ tcp: 41_003 }, { udp: 52_114 }, { tcp: 43_225 }];
const policy = { name: "edge", gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }] };
const gate = { connection, policy };
const host = { name: "a", lastChange: { at: "2026-01-02T03:04:05.678Z", seconds: 2 }, failure: "" };

/** Valid inputs for each of the package's resources. The tests break them at one place. */
const right: Readonly<Record<string, Inputs>> = {
  KnockGate: gate,
  KnockFleet: { hosts: { one: {} }, connection, policy },
  Ruleset: { ...gate, origin: "lab/urn" },
  Wave: { fleet: "web", wave: 1, of: 1, maxFailures: 0, pauseSeconds: 0, onFailure: "halt", hosts: [host] },
};
const names = Object.keys(right);
const tokenOf = (name: string) => `knockgate:index:${name}`;
const rightOf = (name: string): Inputs => right[name] ?? {};

let plugin: RunningPlugin;
let engine: SmallEngine;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "knockgate-rejected-"));
  plugin = await startPlugin();
  engine = new SmallEngine(plugin.client);
  await engine.start();
});
afterAll(async () => {
  engine?.stop();
  await plugin?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("every resource of the package is walked, at every depth", () => {
  expect(names.map(tokenOf).sort()).toEqual(Object.keys(schema.resources).sort());
  const places = (name: string) => breakInputs(tokenOf(name), rightOf(name)).map(({ place }) => place);
  expect(places("KnockGate")).toEqual(
    expect.arrayContaining([
      ".connection",
      ".connection.proxy.privateKey",
      ".policy.gates[0].knock.steps[0].tcp",
      ".proveFrom.password",
      `.policy.gates[0].knock.steps[0].tcp:${canary}`,
    ]),
  );
  expect(places("KnockFleet")).toContain(".hosts[0].connection.proxy.password");
});

interface Failure {
  readonly property: string;
  readonly reason: string;
}

/** The engine prints the value of a named property, so no property may be named. It prints each reason, too. */
function expectUnnamed(place: string, failures: readonly Failure[]): void {
  for (const { property, reason } of failures) {
    expect(property, place).toBe("");
    expect(reason, place).not.toContain(canary);
    expect(reason, place).toMatch(/^\S+: .*\. Fix: .*\. \[[a-z-]+\]$/);
  }
}

/** A wave does not check what its hosts report: their own resources made it, and may be newer. */
const mayPass = (name: string, place: string) =>
  (name === "Wave" && place.startsWith(".hosts[0]")) || ofComponent.some((name) => place.startsWith(name));
/** Only the component itself sets these, and never wrongly. Each check makes the last one anew. */
const ofComponent = [".origin", ".ruleset", ".drift", ".reachedBy", ".sealed"];

describe("a failed check names no property, and says nothing of a value or of an unknown field", () => {
  test.each(["Ruleset", "Wave"])("of %s, by the operations", async (name) => {
    for (const { place, inputs } of breakInputs(tokenOf(name), rightOf(name))) {
      const { failures } = name === "Wave" ? await wave.check({}, inputs) : await check({}, inputs);
      expectUnnamed(place, failures);
      if (!mayPass(name, place)) expect(failures.length, place).toBeGreaterThan(0);
    }
    const { failures } =
      name === "Wave" ? await wave.check({}, rightOf(name)) : await check({}, rightOf(name));
    expect(failures).toEqual([]);
  });

  test.each(["Ruleset", "Wave"])("of %s, by the plugin", async (name) => {
    const urn = `urn:pulumi:lab::lab::${tokenOf(name)}::edge`;
    for (const { place, inputs } of breakInputs(tokenOf(name), rightOf(name))) {
      const news = Struct.fromJavaScript(inputs as Parameters<typeof Struct.fromJavaScript>[0]);
      const request = new messages.CheckRequest().setUrn(urn).setNews(news).setOlds(new Struct());
      const response = await ask<messages.CheckRequest, messages.CheckResponse>(
        (...asked) => plugin.client.check(...asked),
        request,
      );
      const failures = response.getFailuresList().map((one) => one.toObject());
      expectUnnamed(place, failures);
      if (!mayPass(name, place)) expect(failures.length, place).toBeGreaterThan(0);
    }
  });

  test.each(["KnockGate", "KnockFleet"])("of the children of %s, by the plugin", async (name) => {
    for (const inputs of breakAllAtOnce(tokenOf(name), rightOf(name))) {
      const failure = await engine.construct(tokenOf(name), "edge", { ...inputs }).then(
        () => "nothing failed",
        (error: unknown) => `${error}`,
      );
      expect(failure).not.toContain(canary);
      expect(failure).toMatch(/ Fix: /);
    }
    expect(JSON.stringify([plugin.log, plugin.printed])).not.toContain(canary);
  });
});

/** All that the engine prints in a run that fails. */
async function runAndListen(how: "preview" | "up", program: () => Promise<void>): Promise<string> {
  const stack = await openStack(folder, program, "lab", { knockgate: root });
  let printed = "";
  const hear = (text: string) => (printed += text);
  const listen = {
    onOutput: hear,
    onError: hear,
    onEvent: (event: object) => hear(`${JSON.stringify(event)}\n`),
    color: "never",
  } as const;
  const running = how === "preview" ? stack.preview({ ...listen, diff: true }) : stack.up(listen);
  const failure = await running.then(
    () => "nothing failed",
    (error: unknown) => `${error}`,
  );
  return `${printed}\n${failure}`;
}

/** Marks as secret the inputs that a package generated from the schema would mark. */
function markSecrets(token: string, inputs: Inputs): Inputs {
  const { inputProperties = {} } = schema.resources[token] ?? {};
  const marked = Object.entries(inputs).map(([name, value]) => {
    return [name, inputProperties[name]?.secret === true ? pulumi.secret(value) : value];
  });
  return Object.fromEntries(marked);
}

type Make = (inputs: Inputs) => unknown;

class Served extends pulumi.CustomResource {}

/** Asks the plugin, as a program in another language does. */
const remotely =
  (name: string): Make =>
  (inputs) => {
    const token = tokenOf(name);
    const marked = markSecrets(token, inputs);
    if (schema.resources[token]?.isComponent === true)
      return new pulumi.ComponentResource(token, "edge", marked, { version } as object, true);
    return new Served(token, "edge", marked, { version });
  };

const ways: readonly (readonly [string, string, Make])[] = [
  [
    "KnockGate of TypeScript",
    "KnockGate",
    (inputs) => new KnockGate("edge", inputs as unknown as KnockGateArgs),
  ],
  [
    "KnockFleet of TypeScript",
    "KnockFleet",
    (inputs) => new KnockFleet("edge", inputs as unknown as KnockFleetArgs),
  ],
  ["KnockGate of another language", "KnockGate", remotely("KnockGate")],
  ["KnockFleet of another language", "KnockFleet", remotely("KnockFleet")],
  ["Ruleset of another language", "Ruleset", remotely("Ruleset")],
  ["Wave of another language", "Wave", remotely("Wave")],
];

describe("the engine prints no part of an input that is wrong in all its parts", () => {
  test.each(ways)("%s, in preview and up", async (_way, name, make) => {
    const sets = breakAllAtOnce(tokenOf(name), rightOf(name));
    // A run ends at its first wrong resource.
    const runs = [
      ["preview", sets.at(-1)],
      ["up", sets[0]],
    ] as const;
    for (const [how, inputs = {}] of runs) {
      const said = await runAndListen(how, async () => void make(inputs));
      expect(said).not.toContain(canary);
      expect(said).toMatch(/has a field that is not known|has an argument|must be an object/);
    }
  });

  test("and a fleet whose hosts, each by itself, are wrong", async () => {
    const wrong = { connection: { [`password:${canary}`]: null }, policy: `of ${canary}` };
    const fleet = { ...rightOf("KnockFleet"), hosts: { one: wrong } } as unknown as KnockFleetArgs;
    const said = await runAndListen("preview", async () => void new KnockFleet("edge", fleet));
    expect(said).toMatch(/connection: has a field that is not known.*space after a colon/);
    expect(said).toMatch(/policy: must be an object/);
    expect(said).not.toContain(canary);
  });
});

describe("what a program without types can do", () => {
  test("to give no arguments at all is a finding", async () => {
    const Gate = KnockGate as unknown as new (name: string, args?: object) => object;
    const said = await runAndListen("preview", async () => void new Gate("edge"));
    for (const field of ["connection", "policy"])
      expect(said).toContain(`has a problem: ${field}: must be an object, and is missing.`);
    expect(said).not.toContain("TypeError");
    const Fleet = KnockFleet as unknown as new (name: string, args?: object) => object;
    expect(() => new Fleet("edge")).toThrow(/hosts: must be an object, and is missing\./);
  });

  test("to give an argument that is not known is a finding that names the known one, in every language", async () => {
    for (const make of [(inputs: Inputs) => new KnockGate("edge", inputs as never), remotely("KnockGate")]) {
      const said = await runAndListen("preview", async () => void make({ ...gate, undoAfter: 5 }));
      expect(said).toMatch(/has an argument that is not known\. Fix: Did you mean undoAfterSeconds\?/);
    }
  });
});
