import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Move, Series } from "../../unit/model/generate";
import { isAccepted, knockPolicy, type Sweep, sweep } from "../../unit/model/sweeps";
import { backendOf, type ModelMachine, openModelMachine, variants } from "./model-machine";
import { playSeries } from "./model-play";
import { canSendRawPackets } from "./raw-packet";

const isDeep = process.env["KNOCKGATE_DEEP"] === "1";
/** For each variant: the number of policies, and of sweeps for each policy. */
const [policyCount, sweepCount] = isDeep ? [100, 20] : [6, 10];
const seed = Number(process.env["KNOCKGATE_SEED"] ?? Date.now() % 2 ** 31);

const hasPerl = canSendRawPackets();
if (!hasPerl) console.warn("skipped: sweeps in the kernel, because there is no perl to craft packets");

describe.runIf(hasPerl || process.env["CI"] !== undefined)(
  "a gate of a policy in which the linter finds nothing",
  () => {
    // Each variant has its own machine, so that it never meets another one's rules.
    let machines: readonly ModelMachine[] = [];
    beforeAll(async () => {
      machines = await Promise.all(variants.map((_, index) => openModelMachine(index + 1)));
    });
    afterAll(() => Promise.all(machines.map((machine) => machine.close())));

    test.each(variants.map((variant, index) => [variant, index] as const))(
      "opens to no sweep, with %s in the kernel",
      { timeout: 1_800_000 },
      async (variant, index) => {
        const machine = machines[index];
        if (machine === undefined) throw new Error("no machine");
        const policies = knockPolicy(backendOf(variant)).filter(isAccepted);
        const trials = policies.chain((policy) =>
          fc
            .array(sweep(policy), { minLength: sweepCount, maxLength: sweepCount })
            .map((list) => ({ policy, list })),
        );
        for (const { policy, list } of fc.sample(trials, { numRuns: policyCount, seed })) {
          const series = list.map((each, place) => toSeries(each, place % 2 === 1));
          const { disagreements, openCount, closedCount } = await playSeries(
            machine,
            variant,
            policy,
            series,
          );
          const context = `seed ${seed}, ${JSON.stringify(policy.gates)}`;
          expect(
            disagreements.map(({ story }) => story),
            context,
          ).toEqual([]);
          expect(openCount, context).toBe(0);
          expect(closedCount).toBeGreaterThan(0);
        }
      },
    );
  },
);

/** The same shape again is the same packet, from the same port. */
function toSeries({ shapes, isSameFlow }: Sweep, isIpv6: boolean): Series {
  const moves = new Map<unknown, Move>();
  const list = shapes.map((shape): Move => {
    const move = moves.get(shape) ?? { kind: "packet", shape, isOther: false, isOtherFamily: false };
    moves.set(shape, move);
    return isSameFlow ? move : { ...move };
  });
  return { moves: list, isIpv6, network: 0 };
}
