import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { tryConnect } from "../../../../lab/packets";
import { changeHost } from "../../../../src/change/change";
import { watchPort } from "../../host/connect-loop";
import { deployTo } from "../../host/deployment";
import { recordResult } from "../row";
import { gatedPort } from "./engine";
import { engines, listActs, makeRow } from "./rows";
import {
  change,
  expectGated,
  expectRepaired,
  gate,
  listVersions,
  openScene,
  removeGate,
  type Scene,
  waitUntilServed,
} from "./scene";

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const cases = engines.flatMap((engine) => engine.backends.map((backend) => ({ engine, backend })));

const held =
  "closed without the knock and open with it, over IPv4 and IPv6; the page, the port without a gate and the way out work";

describe.each(cases)("on a host with $engine.on, a gate of $backend", ({ engine, backend }) => {
  let scene: Scene;
  let versions: string;
  beforeAll(async () => {
    scene = await openScene(engine, backend);
    await engine.start(scene.host);
    versions = await listVersions(scene);
  });
  afterAll(() => scene?.lab.close());

  const plays: Readonly<Record<string, () => Promise<Played>>> = {
    input: () => playMistake(scene),
    made: async () => {
      await waitUntilServed(scene, gatedPort);
      const lines = await change(scene, false);
      expect(lines.filter((line) => line.includes("warning"))).toEqual([]);
      await expectGated(scene);
      await expectRepaired(scene, []);
      return { result: `proven, without a warning: ${held}; no drift` };
    },
    "reboot-before": () => playAct(scene, "reboot-before", () => scene.host.reboot({ how: "clean" })),
    removed: async () => {
      await removeGate(scene);
      await waitUntilServed(scene, gatedPort);
      return { result: "the page answers everybody again, over IPv4 and IPv6" };
    },
    start: async () => {
      await engine.stop(scene.host);
      await change(scene, false);
      return playAct(scene, "start", () => engine.start(scene.host));
    },
    "reboot-after": () => playAct(scene, "reboot-after", () => scene.host.reboot({ how: "clean" })),
    ...Object.fromEntries(
      engine.acts.map(({ id, play }) => [id, () => playAct(scene, id, () => play(scene.host))]),
    ),
  };

  test.each(listActs(engine))("after: $act", async (act) => {
    const { result, openMs } = (await plays[act.id]?.()) ?? { result: "not played" };
    recordResult(makeRow(engine, backend, act), {
      versions,
      result,
      ...(openMs === undefined ? {} : { openMs }),
    });
  });
});

interface Played {
  readonly result: string;
  readonly openMs?: number;
}

/** Plays an act with a connect loop from outside, and claims that the gate never opened. */
async function playAct(scene: Scene, id: string, act: () => Promise<unknown>): Promise<Played> {
  const { engine, stranger, host, policy } = scene;
  const seen = await watchPort(stranger, { address: host.ipv4, port: gatedPort }, async () => {
    await act();
    await waitUntilServed(scene);
  });
  expect(seen.begun).toBeGreaterThan(200);
  expect(seen.answered).toBe(0);
  await expectGated(scene);
  const drift = engine.drift?.(policy.backend, id) ?? [];
  await expectRepaired(scene, drift);
  const found = drift.length === 0 ? "no drift" : "drift says so, and the next change mends it";
  return { result: `${held}; ${found}`, openMs: seen.openMs };
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
