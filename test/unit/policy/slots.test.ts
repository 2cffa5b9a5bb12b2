import { describe, expect, test } from "vitest";
import {
  chooseSlot,
  horizonSlots,
  listSlotsToTry,
  longestJump,
  type SlotChoice,
  slotOrders,
} from "../../../src/policy/slots";

const settings = { slotSeconds: 60, horizonDays: 7 };
const now = 29_940_000;
const beyond = 10_081;
const far = [1, 2, 3].map((losses) => now + losses * beyond);

/** Plays tries in order, from the first free slot on. */
function play(order: readonly SlotChoice[], ...usedBefore: readonly number[]): readonly number[] {
  const used = new Set(usedBefore);
  let farTries = 0;
  return order.map((choice) => {
    const slot = chooseSlot(choice, now, { used, farTries }, settings);
    used.add(slot);
    farTries += choice === "far" ? 1 : 0;
    return slot - now;
  });
}

describe("a client", () => {
  test("tries the current slot, then the next one, then a horizon later, then the others", () => {
    const near = [now + 2, now + 3, now + 4, now + 5];
    expect(listSlotsToTry(now, settings)).toEqual([now, now + 1, far[0], ...near, far[1], far[2]]);
  });

  test("leaves out a slot that was used, near and far", () => {
    expect(play(slotOrders.client, now, now + 1, now + beyond).slice(0, 4)).toEqual([2, 3, beyond + 1, 4]);
  });

  test("that has used all near slots goes on to later ones, which a host holds, too", () => {
    const used = Array.from({ length: 20 }, (_, index) => now + index);
    expect(play(slotOrders.client, ...used).slice(0, 4)).toEqual([20, 21, beyond, 22]);
  });
});

test.each([
  [{ slotSeconds: 60, horizonDays: 7 }, 60],
  [{ slotSeconds: 3_600, horizonDays: 1 }, 6],
  [{ slotSeconds: 86_400, horizonDays: 1 }, 1],
])("a deployer with %j jumps at most %i slots", (some, most) => {
  expect(longestJump(some)).toBe(most);
});

test("far tries suppose one loss, two and three, and one again", () => {
  expect(play(["far", "far", "far", "far"])).toEqual([beyond, 2 * beyond, 3 * beyond, beyond + 1]);
});

test.each([
  [{ slotSeconds: 60, horizonDays: 7 }, 10_080],
  [{ slotSeconds: 3_600, horizonDays: 1 }, 24],
  [{ slotSeconds: 7_00, horizonDays: 1 }, 124],
])("the horizon of %j is %i slots away", (some, count) => {
  expect(horizonSlots(some)).toBe(count);
});
