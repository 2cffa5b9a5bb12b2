import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Lab } from "../../../../lab/lab";
import { tryConnect } from "../../../../lab/packets";
import { changeHost } from "../../../../src/change/change";
import { watchPort } from "../../host/connect-loop";
import { deployTo } from "../../host/deployment";
import { recordResult } from "../row";
import { type Engine, gatedPort } from "./engine";
import { engines, listActs, makeRow } from "./rows";
import {
  change,
  expectGated,
  expectRepaired,
  gate,
  listVersions,
  openScenes,
  removeGate,
  type Scene,
  waitUntilServed,
} from "./scene";

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

function describeHeld(engine: Engine): string {
  return `closed without the knock and open with it, ${nameFamilies(engine)}; the page, the port without a gate and the way out work`;
}

function nameFamilies({ families }: Engine): string {
  return families.length === 2 ? "over IPv4 and IPv6" : "over IPv4, where alone it is published";
}

describe.each(engines)("on a host with $id", (engine) => {
  let lab: Lab;
  let scenes: readonly Scene[];
  let versions: readonly string[];
  beforeAll(async () => {
    ({ lab, scenes } = await openScenes(engine));
    await Promise.all(scenes.map(({ host }) => engine.start(host)));
    versions = await Promise.all(scenes.map(listVersions));
  });
  afterAll(() => lab?.close());

  test.each(listActs(engine))("the gate holds after: $act", async (act) => {
    const results = scenes.map(async (scene, index) => {
      const found = await play(scene, act.id);
      recordResult(makeRow(engine, scene.policy.backend, act), { versions: versions[index] ?? "", ...found });
    });
    const failed = (await Promise.allSettled(results)).find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  });
});

async function play(scene: Scene, id: string): Promise<Played> {
  const { engine, host } = scene;
  switch (id) {
    case "input":
      return playMistake(scene);
    case "made":
      return playFirstChange(scene);
    case "removed":
      return playRemoval(scene);
    case "start":
      await engine.stop(host);
      await host.reboot({ how: "clean" }); // what the engine loaded earlier is still there
      await change(scene, false);
      return playAct(scene, id, () => engine.start(host));
    case "reboot-before":
    case "reboot-after":
      return playAct(scene, id, () => host.reboot({ how: "clean" }));
    default: {
      const act = engine.acts.find((one) => one.id === id);
      if (act === undefined) throw new Error(`no act ${id}`);
      return playAct(scene, id, () => act.play(host));
    }
  }
}

/** Also shows that the connect loop sees an open port. */
async function playRemoval(scene: Scene): Promise<Played> {
  await removeGate(scene);
  await waitUntilServed(scene, gatedPort);
  const { stranger, host } = scene;
  const seen = await watchPort(stranger, { address: host.ipv4, port: gatedPort }, () => sleep(afterMs));
  expect(seen.answered).toBeGreaterThan(20);
  return { result: `the page answers everybody again, ${nameFamilies(scene.engine)}` };
}

async function playFirstChange(scene: Scene): Promise<Played> {
  await waitUntilServed(scene, gatedPort);
  const lines = await change(scene, false);
  expect(lines.filter((line) => line.includes("warning"))).toEqual([]);
  await expectGated(scene);
  await expectRepaired(scene, []);
  return { result: `proven, without a warning: ${describeHeld(scene.engine)}; no drift` };
}

interface Played {
  readonly result: string;
  readonly openMs?: number;
}

/** Some acts go on after their command has ended. */
const afterMs = 2_000;

/** Plays an act with a connect loop from outside, and claims that the gate never opened. */
async function playAct(scene: Scene, id: string, act: () => Promise<unknown>): Promise<Played> {
  const { engine, stranger, host, policy } = scene;
  const seen = await watchPort(stranger, { address: host.ipv4, port: gatedPort }, async () => {
    await act();
    await waitUntilServed(scene);
    await sleep(afterMs);
  });
  expect(seen.begun).toBeGreaterThan(100);
  expect(seen.answered).toBe(0);
  await expectGated(scene);
  const drift = engine.drift?.(policy.backend, id) ?? [];
  await expectRepaired(scene, drift);
  const found = drift.length === 0 ? "no drift" : `drift says "${drift.join('", "')}" until the next change`;
  return { result: `${describeHeld(engine)}; ${found}`, openMs: seen.openMs };
}

/** What an engine publishes does not go through the hook input. */
async function playMistake({ lab, host, stranger, policy }: Scene): Promise<Played> {
  const context = await deployTo(lab, host);
  const request = { policy: gate(policy.backend, "input"), owner: "me", undoAfterSeconds: 120 };
  await expect(changeHost(request, context)).rejects.toMatchObject({
    code: "NOT_CONFIRMED",
    message: expect.stringContaining(`TCP port ${gatedPort} of gate web answers before the knock`),
  });
  expect(await tryConnect(stranger, host.ipv4, gatedPort, 3_000)).toBe("open");
  return { result: "the change is undone, and says that the port answers before the knock" };
}
