import type { TokenSettings } from "./policy.js";

/** A slot so far from the first free one. `far`: beyond the horizon, where a host begins that has lost its tokens. */
export type SlotChoice = number | "far";

/** What each try of a client takes, in order. */
export const slotOrders = {
  /** For a clock that is behind, and for several connections in one slot. */
  client: [0, 0, "far", 0, 0, 0, 0, "far", "far"],
  /**
   * The deployer keeps nothing between runs. Other runs may have used any of the next slots some seconds ago, so it
   * jumps by chance.
   */
  deployer: [0, "jump", "far", "jump"],
  /** For the deployer, once the host has said what it holds. */
  told: [0, "jump", "jump", "far"],
} as const satisfies Readonly<Record<string, readonly (SlotChoice | "jump")[]>>;

/** The farthest jump: far more slots than runs of some minutes use, and well within what a host holds. */
export function longestJump(settings: Settings): number {
  return Math.max(1, Math.min(60, Math.floor(horizonSlots(settings) / 4)));
}

/** How many times a host may have lost its tokens since it was last reached. Each time, it goes on a horizon later. */
export const mostLosses = 3;

/** What is known of the tokens of one key for one gate of one host. */
export interface SlotUse {
  /** Slots whose tokens were sent. */
  readonly used: ReadonlySet<number>;
  /** How many far slots were tried. Each supposes one loss more. */
  readonly farTries: number;
}

type Settings = Pick<TokenSettings, "slotSeconds" | "horizonDays">;

/**
 * Chooses the slot of a try. Never one that was used.
 *
 * @param start the first slot that may be good
 */
export function chooseSlot(
  choice: SlotChoice,
  start: number,
  { used, farTries }: SlotUse,
  settings: Settings,
): number {
  if (choice !== "far") return firstFree(firstFree(start, used) + choice, used);
  const losses = 1 + (farTries % mostLosses);
  return firstFree(start + losses * (horizonSlots(settings) + 1), used);
}

/** Lists the slots that a client tries if it has used none, in order. */
export function listSlotsToTry(start: number, settings: Settings): readonly number[] {
  const used = new Set<number>();
  let farTries = 0;
  return slotOrders.client.map((choice) => {
    const slot = chooseSlot(choice, start, { used, farTries }, settings);
    used.add(slot);
    farTries += choice === "far" ? 1 : 0;
    return slot;
  });
}

/** How many slots lie between now and the horizon. */
export function horizonSlots({ slotSeconds, horizonDays }: Settings): number {
  return Math.ceil((horizonDays * 86_400) / slotSeconds);
}

/** The first slot from this one on that is not used. */
export function firstFree(slot: number, used: ReadonlySet<number>): number {
  let free = slot;
  while (used.has(free)) free += 1;
  return free;
}
