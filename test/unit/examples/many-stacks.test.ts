import fc from "fast-check";
import { expect, test } from "vitest";
import { stackOf } from "../../../examples/many-stacks/split";
import { runs } from "../runs";

const names = (most: number) => {
  return fc.uniqueArray(fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,12}$/), { minLength: 1, maxLength: most });
};

/** Near misses: hosts whose names differ in their last figures only. */
const numbered = fc
  .tuple(fc.stringMatching(/^[a-z]{1,6}-$/), fc.integer({ min: 1, max: 40 }))
  .map(([prefix, count]) => Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`));

test("a host's stack depends neither on the order of the stacks nor on other hosts", () => {
  fc.assert(
    fc.property(names(1), names(8), fc.infiniteStream(fc.nat()), ([host = ""], stacks, order) => {
      const shuffled = stacks.map((stack) => [order.next().value, stack] as const).sort(([a], [b]) => a - b);
      const other = shuffled.map(([, stack]) => stack);
      expect(stackOf(host, other)).toBe(stackOf(host, stacks));
      expect(stacks).toContain(stackOf(host, stacks));
    }),
    runs(300),
  );
});

test("a new stack takes hosts to itself, and moves none between others", () => {
  fc.assert(
    fc.property(fc.oneof(names(20), numbered), names(8), (hosts, [added = "", ...stacks]) => {
      fc.pre(stacks.length > 0);
      for (const host of hosts) {
        const now = stackOf(host, [...stacks, added]);
        if (now !== added) expect(now).toBe(stackOf(host, stacks));
      }
    }),
    runs(200),
  );
});

test("each of four stacks gets its share of a thousand numbered hosts", () => {
  const stacks = ["web-1", "web-2", "web-3", "web-4"];
  const places = Array.from({ length: 1_000 }, (_, index) => stackOf(`web-${index + 1}`, stacks));
  for (const stack of stacks) {
    const share = places.filter((place) => place === stack).length;
    expect(share).toBeGreaterThan(200);
    expect(share).toBeLessThan(300);
  }
});
