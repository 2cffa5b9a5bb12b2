import type { TokenSettings } from "./policy.js";
import { slotAt } from "./token.js";

/** How many times a host may have lost its tokens since it was last found. Each time, it goes on a horizon later. */
const mostLosses = 3;
/** How many slots from now on are tried, for a client whose clock is behind or that opens several times in a slot. */
const mostAhead = 6;

/**
 * Lists the slots whose tokens a client tries, in order. First the current slot and the one after it. A host that has
 * lost its tokens begins behind all that it ever held, which is at most a horizon ahead for each loss. A client whose
 * clock is behind needs a later slot.
 *
 * @param used slots whose tokens this client has sent before; they are left out
 */
export function listSlotsToTry(
  nowMs: number,
  settings: Pick<TokenSettings, "slotSeconds" | "horizonDays">,
  used: ReadonlySet<number> = new Set(),
): readonly number[] {
  const now = slotAt(nowMs, settings.slotSeconds);
  const beyond = horizonSlots(settings) + 1;
  const near = Array.from({ length: mostAhead }, (_, index) => now + index).filter((slot) => !used.has(slot));
  const far = Array.from({ length: mostLosses }, (_, index) => firstFree(now + (index + 1) * beyond, used));
  return [...near.slice(0, 2), ...far.slice(0, 1), ...near.slice(2), ...far.slice(1)];
}

/** How many slots lie between now and the horizon. */
export function horizonSlots({
  slotSeconds,
  horizonDays,
}: Pick<TokenSettings, "slotSeconds" | "horizonDays">): number {
  return Math.ceil((horizonDays * 86_400) / slotSeconds);
}

/** The first slot from this one on that is not used. */
export function firstFree(slot: number, used: ReadonlySet<number>): number {
  let free = slot;
  while (used.has(free)) free += 1;
  return free;
}
