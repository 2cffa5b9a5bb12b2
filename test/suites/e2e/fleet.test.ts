import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { FleetHostArgs, RolloutArgs } from "knockgate";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { sendKnock, tryConnect } from "../../../lab/packets";
import { openStack } from "../../../lab/stack";
import { readStackOutput } from "../../../src/cli/profiles/stack-output";
import { fleetProgram } from "./fleet-program";
import { findSecrets, findSecretsBelow, splitKey } from "./secrets";

const oldSteps = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 6633 }];
const newSteps = [{ udp: 7511 }, { tcp: 6433 }, { udp: 8722 }];

type Knock = typeof oldSteps | typeof newSteps;

let lab: Lab;
/** The hosts by the fleet's names for them. */
let hosts: Record<"canary" | "a" | "b" | "c" | "d", LabHost>;
const declared = {
  steps: oldSteps as Knock,
  names: ["a", "b", "c", "canary"] as (keyof typeof hosts)[],
  more: {} as Record<string, Partial<FleetHostArgs>>,
  rollout: {
    waves: [{ hosts: ["canary"] }, { count: 2 }, { percent: 50 }],
    healthCommand: "test ! -e /run/ill",
  } as RolloutArgs,
};
let printed = "";
let allPrinted = "";

beforeAll(async () => {
  lab = await openLab({ hosts: 5 });
  const [canary, a, b, c, d] = lab.hosts as [LabHost, LabHost, LabHost, LabHost, LabHost];
  hosts = { canary, a, b, c, d };
});
afterAll(() => lab?.close());

async function program() {
  const named = declared.names.map((name) => {
    const { ipv4, hostKey } = hosts[name];
    return [name, { connection: { host: ipv4, hostKey }, ...declared.more[name] }] as const;
  });
  const { steps, rollout } = declared;
  return fleetProgram({ privateKey: lab.privateKey, hosts: Object.fromEntries(named), steps, rollout })();
}

/** Runs an operation of the engine. Returns what it printed, and whether it failed. */
async function run(
  what: "up" | "refresh" | "destroy",
  options = {},
): Promise<{ text: string; failed: boolean }> {
  const stack = await openStack(lab.directory, program);
  allPrinted += printed;
  printed = "";
  const listen = { onOutput: (text: string) => (printed += text), color: "never", ...options } as const;
  const failed = await stack[what](listen).then(
    () => false,
    () => true,
  );
  return { text: printed, failed };
}

/** Lines that changes of one host logged. */
function linesOf(text: string, name: keyof typeof hosts): number {
  return text.split(`edge on ${hosts[name].ipv4}:22: `).length - 1;
}

async function opens(name: keyof typeof hosts, steps: Knock): Promise<boolean> {
  await pause(1_600);
  const { ipv4 } = hosts[name];
  await sendKnock("outside", { to: ipv4, steps });
  return (await tryConnect("outside", ipv4, 22, 1_000)) === "open";
}

async function setIll(name: keyof typeof hosts, isIll: boolean): Promise<void> {
  await hosts[name].run(isIll ? ["touch", "/run/ill"] : ["rm", "/run/ill"]);
}

test("a wave with too many failures fails up, and no host of a later wave is touched", async () => {
  await setIll("b", true);
  const { text, failed } = await run("up");
  expect(failed).toBe(true);
  expect(text).toMatch(/web: wave 1 of 3: 1 changed in \d+\.\d s\n +web: {3}canary {2}changed +\d+\.\d s/);
  expect(text).toMatch(/wave 2 of 3: 1 changed, 1 failed in/);
  expect(text).toContain("1 of 2 hosts failed (maxFailures is 0): b.");
  expect(text).toContain("No host of a later wave was touched.");
  expect(text).toMatch(/ web-canary: edge on [\d.]+:22: 6\/6 confirm: /);
  expect(text).toMatch(/ web-\w+: failed: policy edge on /);
  expect(text).toMatch(/the health command ended with exit code 1.*The host has put back what it had before/);
  expect(linesOf(text, "c")).toBe(0);
  expect(await hosts.b.ruleset()).toBe("");
  expect(await hosts.c.ruleset()).toBe("");
  expect(await opens("a", oldSteps)).toBe(true);
});

test("the next up tries the failed host again, goes on, and touches no host that is done", async () => {
  await setIll("b", false);
  const { text, failed } = await run("up");
  expect({ text, failed }).toMatchObject({ failed: false });
  expect([linesOf(text, "canary"), linesOf(text, "a")]).toEqual([0, 0]);
  expect(text).toMatch(/wave 2 of 3: 1 changed, 1 unchanged in/);
  expect(text).toMatch(/wave 3 of 3: 1 changed in/);
  const outputs = await (await openStack(lab.directory, program)).outputs();
  expect(outputs["summary"]?.value).toMatchObject([
    { wave: 1, of: 3, hosts: [{ host: "canary", result: "changed" }] },
    {
      hosts: [
        { host: "a", result: "unchanged" },
        { host: "b", result: "changed" },
      ],
    },
    { hosts: [{ host: "c", result: "changed" }] },
  ]);
  expect(outputs["profiles"]?.secret).toBe(true);
  for (const name of ["profiles", "hosts"]) {
    const profiles = readStackOutput(JSON.stringify(outputs[name]?.value));
    expect(profiles.map((profile) => profile.name).sort()).toEqual(["web-a", "web-b", "web-c", "web-canary"]);
    expect(profiles.find((profile) => profile.name === "web-a")).toMatchObject({
      way: { host: hosts.a.ipv4, hostKey: hosts.a.hostKey, user: "ops" },
      gates: [{ gate: "ssh", steps: oldSteps }],
    });
  }
});

test("a change of one host touches only that host", async () => {
  declared.more = { b: { policy: { allowFrom: ["192.0.2.0/24"] } } };
  const { text } = await run("up");
  expect(["canary", "a", "c"].map((name) => linesOf(text, name as "a"))).toEqual([0, 0, 0]);
  expect(linesOf(text, "b")).toBeGreaterThan(5);
});

test("adding a host or removing one touches only that host", async () => {
  declared.names = ["d", "a", "b", "canary"];
  const { text } = await run("up");
  expect(["canary", "a", "b"].map((name) => linesOf(text, name as "a"))).toEqual([0, 0, 0]);
  expect(linesOf(text, "d")).toBeGreaterThan(5);
  expect(await hosts.c.ruleset()).toBe("");
});

test("a failure that the rollout allows is in the state, and each up tries that host again", async () => {
  await setIll("a", true);
  declared.steps = newSteps;
  declared.rollout = { ...declared.rollout, maxFailures: 1 };
  const { text, failed } = await run("up");
  expect({ text, failed }).toMatchObject({ failed: false });
  expect(text).toMatch(/wave 2 of 3: 1 changed, 1 failed in/);
  const stack = await openStack(lab.directory, program);
  // The state holds the knock that the failed host really has.
  expect((await stack.outputs())["knock"]).toMatchObject({ value: [{ steps: oldSteps }] });
  expect(await opens("a", oldSteps)).toBe(true);
  expect(await opens("d", newSteps)).toBe(true);
  expect((await stack.preview()).changeSummary).toMatchObject({ update: 2 });
  await setIll("a", false);
  expect((await run("up")).text).toMatch(/wave 2 of 3: 1 changed, 1 unchanged in/);
  expect(await opens("a", newSteps)).toBe(true);
});

test("a refresh looks at the other hosts when one can't be looked at", async () => {
  const cut = await lab.swallow({ to: hosts.a, protocol: "any" });
  const { failed, text } = await run("refresh");
  await cut.restore();
  expect({ text, failed }).toMatchObject({ failed: false });
  expect(text).toContain("could not be observed: ");
  expect((await run("up")).failed).toBe(false);
});

test("onFailure undo restores what a wave had, and the next up goes on from there", async () => {
  declared.steps = oldSteps;
  declared.rollout = { waves: [{ count: 4 }], healthCommand: "test ! -e /run/ill", onFailure: "undo" };
  const first = await run("up");
  expect(first).toMatchObject({ failed: false });
  declared.steps = newSteps;
  await setIll("a", true);
  const { text, failed } = await run("up");
  expect(failed).toBe(true);
  expect(text).toMatch(/wave 1 of 1: 1 failed, 3 undone in/);
  expect(text).toContain("Changed hosts that were put back: 3.");
  for (const name of ["a", "b", "canary"] as const) expect(await opens(name, oldSteps)).toBe(true);
  await setIll("a", false);
  const again = await run("up");
  expect({ ...again, text: again.text }).toMatchObject({ failed: false });
  expect(again.text).toMatch(/wave 1 of 1: 4 changed in/);
  for (const name of ["a", "b", "canary"] as const) expect(await opens(name, newSteps)).toBe(true);
});

test("no step's port and no line of the key stands in the state, its history, or in what was printed", async () => {
  const numbers = [...oldSteps, ...newSteps].flatMap((step) => Object.values(step).map(String));
  const secrets = [...numbers, ...splitKey(lab.privateKey)];
  const backend = join(lab.directory, "backend");
  expect((await readdir(backend, { recursive: true })).some((name) => name.endsWith("lab.json"))).toBe(true);
  expect(await findSecretsBelow(backend, secrets)).toEqual([]);
  expect(findSecrets(allPrinted, secrets)).toEqual([]);
});

test("destroy leaves each host as it was", async () => {
  const { text, failed } = await run("destroy");
  expect({ text, failed }).toMatchObject({ failed: false });
  for (const host of Object.values(hosts)) expect(await host.ruleset()).toBe("");
});
