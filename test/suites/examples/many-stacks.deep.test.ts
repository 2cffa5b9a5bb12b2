import { afterAll, beforeAll, expect, test } from "vitest";
import { stackOf } from "../../../examples/many-stacks/split";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { claimHost } from "../host/deployment";
import { listGate } from "../host/inspection";
import { nameHosts, openProject } from "./many-stacks";

const stacks = ["web-1", "web-2", "web-3"];
const settings = { stacks, stacksAtOnce: 2, user: "ops" };
const limitMs = 600_000;

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ hosts: 10 });
});
afterAll(() => lab?.close());

/** web-1 and web-3 have one host each; web-2 has two, one in each of its waves. */
async function openFour(maxFailures: number) {
  const hosts = [claimHost(lab), claimHost(lab), claimHost(lab), claimHost(lab)] as const;
  const project = openProject(lab);
  const named = nameHosts(hosts, { "web-1": 1, "web-2": 2, "web-3": 1 }, stacks);
  project.write({ ...settings, maxFailures, hosts: named });
  return { project, hosts, names: Object.keys(named) };
}

test("a spent failure budget ends the running stacks with their wave, and begins no other", {
  timeout: limitMs,
}, async () => {
  const { project, hosts, names } = await openFour(0);
  const [unwell, slow, next, last] = hosts;
  await unwell.run(["touch", "/run/unwell"]);
  // Holds up the first wave of web-2 until web-1 has failed.
  const silence = await lab.swallow({ to: slow, protocol: "tcp", port: 22 });
  const stopped = await project.rollOut(["up"], (printed) => {
    if (/^web-1: stopped$/m.test(printed)) void silence.restore();
    return undefined;
  });
  expect(stopped.code).toBe(1);
  expect(stopped.summary).toEqual([
    "web-1 stopped 1 0 0 0 1 0",
    "web-2 stopped 2 1 0 0 0 1",
    "web-3 not begun 1 0 0 0 0 1",
    expect.stringMatching(new RegExp(`^web-1: ${names[0]}: .*the health command ended with exit code 1`)),
    "stopped: hosts that failed: 1 (maxFailures is 0)",
  ]);
  expect(await slow.ruleset()).toContain("knockgate_edge");
  for (const host of [unwell, next, last]) expect(await host.ruleset()).toBe("");
  await unwell.run(["rm", "/run/unwell"]);
  expect((await project.rollOut(["up"])).summary).toEqual([
    "web-1 done 1 1 0 0 0 0",
    "web-2 done 2 1 1 0 0 0",
    "web-3 done 1 1 0 0 0 0",
    "hosts that failed: 0 (maxFailures is 0)",
  ]);
});

test("after a kill, the next run takes up what was locked and unfinished, and does only what is missing", {
  timeout: limitMs,
}, async () => {
  const { project, hosts, names } = await openFour(0);
  const [, , held] = hosts;
  const silence = await lab.swallow({ to: held, protocol: "tcp", port: 22 });
  await project.rollOut(["up"], (printed) =>
    printed.includes(`web-2: ${names[1]} changed`) && printed.includes("web-3: done") ? "kill" : undefined,
  );
  await silence.restore();
  const next = await project.rollOut(["up"]);
  expect(next.printed).toMatch(
    /^web-2: a killed run \(pid \d+\) has left it locked: it is unlocked and taken up$/m,
  );
  expect(next.printed).toContain(`web-2: a killed run has left unfinished: web-${names[2]}\n`);
  expect(next.summary).toEqual([
    "web-1 done 1 0 1 0 0 0",
    "web-2 done 2 1 1 0 0 0",
    "web-3 done 1 0 1 0 0 0",
    "hosts that failed: 0 (maxFailures is 0)",
  ]);
  expect((await project.rollOut(["up", "web-2"])).printed).not.toContain("killed run");
});

test("a new stack takes over its hosts, whose gates stay as they are", { timeout: limitMs }, async () => {
  const hosts: readonly LabHost[] = [claimHost(lab), claimHost(lab)];
  const project = openProject(lab);
  const named = nameHosts(hosts, { "web-1": 2 }, ["web-1"]);
  project.write({ ...settings, stacks: ["web-1"], maxFailures: 0, hosts: named });
  await project.rollOut(["up"]);
  const rulesets = () => Promise.all(hosts.map((host) => listGate(host)));
  const before = await rulesets();
  const isMoved = (host: string, added: string) => stackOf(host, ["web-1", added]) === added;
  const candidates = Array.from({ length: 100 }, (_, index) => `web-${index + 2}`);
  const added = candidates.find(
    (one) => Object.keys(named).filter((host) => isMoved(host, one)).length === 1,
  );
  project.write({ ...settings, stacks: ["web-1", added], maxFailures: 0, hosts: named });
  expect((await project.rollOut(["up", `${added}`])).summary[0]).toBe(`${added} done 1 1 0 0 0 0`);
  expect((await project.rollOut(["up"])).summary.slice(0, 2)).toEqual([
    "web-1 done 1 0 1 1 0 0",
    `${added} done 1 0 1 0 0 0`,
  ]);
  expect(await rulesets()).toEqual(before);
});
