import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Lab, openLab } from "../../../lab/lab";
import { sendKnock, tryConnect } from "../../../lab/packets";
import { openStack } from "../../../lab/stack";
import { type FleetDeclaration, fleetProgram } from "./fleet-program";
import { upAndDieAfter } from "./up-and-die";

const knocks = [
  [{ tcp: 7411 }, { udp: 8522 }, { tcp: 6633 }],
  [{ udp: 7511 }, { tcp: 6433 }, { udp: 8722 }],
] as const;
/** Seconds; the shortest time that is allowed. */
const armed = 10;

let lab: Lab;
let declared: FleetDeclaration;

beforeAll(async () => {
  lab = await openLab({ hosts: 3 });
  const hosts = lab.hosts.map(({ ipv4, hostKey }, index) => [
    "abc"[index],
    { connection: { host: ipv4, hostKey } },
  ]);
  const rollout = { waves: [{ count: 1 }, { count: 2 }] };
  const [steps] = knocks;
  declared = {
    privateKey: lab.privateKey,
    hosts: Object.fromEntries(hosts),
    steps,
    rollout,
    undoAfterSeconds: armed,
  };
  await (await openStack(lab.directory, fleetProgram(declared))).up();
});
afterAll(() => lab?.close());

/** For each host, which of the knocks open it now. */
async function listOpening(): Promise<readonly (readonly boolean[])[]> {
  const opens: boolean[][] = lab.hosts.map(() => []);
  for (const steps of knocks) {
    // An opened door closes after a second.
    await pause(1_600);
    for (const { ipv4 } of lab.hosts) await sendKnock("outside", { to: ipv4, steps });
    const answers = lab.hosts.map(({ ipv4 }) => tryConnect("outside", ipv4, 22, 800));
    for (const [index, answer] of (await Promise.all(answers)).entries())
      opens[index]?.push(answer === "open");
  }
  return opens;
}

/** When the run is killed, the line that was printed just before, and how many hosts are untouched then. */
const moments = [
  ["the first wave's host has confirmed", "6/6 confirm", 2],
  ["the first wave's host has the new ruleset loaded", "4/6 load", 2],
  ["the second wave has begun", "wave 1 of 2: 1 changed", 0],
] as const;

test.each(process.env["KNOCKGATE_DEEP"] === "1" ? moments : moments.slice(0, 1))(
  "killed when %s, a rotation leaves each host with one of the two knocks, and the next up completes it",
  async (_when, printed, untouched) => {
    const isSwapped = declared.steps !== knocks[0];
    declared.steps = knocks[isSwapped ? 0 : 1];
    /** For each host: whether the knock from before the rotation opens it, and whether the new one does. */
    const look = async () =>
      (await listOpening()).map((answers) => (isSwapped ? [...answers].reverse() : answers));
    await upAndDieAfter(printed, declared, lab.directory);
    // Looks at once, while a timer may still run, and again after its time.
    for (const answers of await look()) expect(answers.filter(Boolean)).toHaveLength(1);
    await pause((armed - 3) * 1_000);
    const settled = await look();
    for (const answers of settled) expect(answers.filter(Boolean)).toHaveLength(1);
    expect(settled.slice(3 - untouched)).toEqual(Array(untouched).fill([true, false]));
    const stack = await openStack(lab.directory, fleetProgram(declared));
    await stack.cancel();
    await stack.up();
    expect(await look()).toEqual(Array(3).fill([false, true]));
  },
);

test("destroy leaves each host as it was", async () => {
  await (await openStack(lab.directory, fleetProgram(declared))).destroy();
  for (const host of lab.hosts) expect(await host.ruleset()).toBe("");
});
