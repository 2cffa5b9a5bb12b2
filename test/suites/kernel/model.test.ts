import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { trial } from "../../unit/model/generate";
import { backendOf, type ModelMachine, openModelMachine, type Variant, variants } from "./model-machine";
import { playSeries } from "./model-play";
import { explainDisagreement } from "./model-shrink";
import { canSendRawPackets } from "./raw-packet";

const isDeep = process.env["KNOCKGATE_DEEP"] === "1";
/** For each variant: the number of policies, and of series for each policy. */
const trialCount = isDeep ? 240 : 24;
const seriesCount = 10;
const machinesEach = 3;

const seed = Number(process.env["KNOCKGATE_SEED"] ?? Date.now() % 2 ** 31);
const hasPerl = canSendRawPackets();
if (!hasPerl)
  console.warn("skipped: the model against the kernel, because there is no perl to craft packets");

describe.runIf(hasPerl || process.env["CI"] !== undefined)("the model and the kernel", () => {
  let machines: readonly ModelMachine[] = [];
  beforeAll(async () => {
    const numbers = Array.from({ length: variants.length * machinesEach }, (_, index) => index + 1);
    machines = await Promise.all(numbers.map(openModelMachine));
  });
  afterAll(() => Promise.all(machines.map((machine) => machine.close())));

  const timeout = isDeep ? 1_800_000 : 120_000;
  const titled = variants.map((variant, index) => [variant, index] as const);
  test.concurrent.for(titled)(
    "agree, with %s, on every packet of generated series",
    { timeout },
    async ([variant, index]) => {
      const own = machines.slice(index * machinesEach, (index + 1) * machinesEach);
      const begin = performance.now();
      const { disagreement, openCount, closedCount } = await compare(variant, own);
      const seconds = ((performance.now() - begin) / 1_000).toFixed(1);
      const doors = `${openCount} doors found open, ${closedCount} closed`;
      console.info(`${variant}: ${trialCount * seriesCount} series, ${doors}, seed ${seed}, ${seconds} s`);
      expect(disagreement).toBe("");
      // Otherwise the series would be only noise, or only knocks.
      expect(openCount).toBeGreaterThan((openCount + closedCount) / 20);
      expect(closedCount).toBeGreaterThan((openCount + closedCount) / 5);
    },
  );
});

/** Stops at the first disagreement, and shrinks it. */
async function compare(variant: Variant, machines: readonly ModelMachine[]) {
  const waiting = fc.sample(trial(backendOf(variant), seriesCount), { numRuns: trialCount, seed }).values();
  const result = { disagreement: "", openCount: 0, closedCount: 0 };
  await Promise.all(
    machines.map(async (machine) => {
      for (const { policy, series } of waiting) {
        if (result.disagreement !== "") return;
        const played = await playSeries(machine, variant, policy, series);
        result.openCount += played.openCount;
        result.closedCount += played.closedCount;
        const [found] = played.disagreements;
        if (found === undefined) continue;
        result.disagreement = `seed ${seed}: being made small`;
        result.disagreement = `seed ${seed}: ${await explainDisagreement(machine, variant, policy, found)}`;
      }
    }),
  );
  return result;
}
