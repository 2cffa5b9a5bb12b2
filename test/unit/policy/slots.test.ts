import { expect, test } from "vitest";
import { horizonSlots, listSlotsToTry } from "../../../src/policy/slots";

const settings = { slotSeconds: 60, horizonDays: 7 };
const now = 29_940_000;
const nowMs = now * 60_000 + 30_000;
const beyond = 10_081;

test("the current slot comes first, then the next one, then a horizon later, then the others", () => {
  expect(listSlotsToTry(nowMs, settings)).toEqual([
    now,
    now + 1,
    now + beyond,
    now + 2,
    now + 3,
    now + 4,
    now + 5,
    now + 2 * beyond,
    now + 3 * beyond,
  ]);
});

test("a slot that was used is left out, near and far", () => {
  const used = new Set([now, now + 1, now + beyond]);
  expect(listSlotsToTry(nowMs, settings, used).slice(0, 4)).toEqual([
    now + 2,
    now + 3,
    now + beyond + 1,
    now + 4,
  ]);
});

test("somebody who has used all near slots still has later ones", () => {
  const used = new Set(Array.from({ length: 6 }, (_, index) => now + index));
  const slots = listSlotsToTry(nowMs, settings, used);
  expect(slots.length).toBeGreaterThan(0);
  expect(slots.filter((slot) => used.has(slot))).toEqual([]);
});

test.each([
  [{ slotSeconds: 60, horizonDays: 7 }, 10_080],
  [{ slotSeconds: 3_600, horizonDays: 1 }, 24],
  [{ slotSeconds: 7_00, horizonDays: 1 }, 124],
])("the horizon of %j is %i slots away", (some, count) => {
  expect(horizonSlots(some)).toBe(count);
});
