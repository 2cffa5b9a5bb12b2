import { KnockgateError } from "../../errors.js";
import type { KnockStep } from "../../knock/packet.js";
import { readAnswer } from "../../knock/read-answer.js";
import { limitDialMs } from "../retry.js";

/** Knocks at one machine on the way. */
export interface HopKnocker {
  /** How many knocks are worth sending in a round: another run may have used the first tokens. */
  readonly tries: number;
  /** Makes the packets that open its SSH port for the next connection. Secret. */
  next(): readonly KnockStep[];
  /** Notes that the last packets opened. */
  succeed(): void;
}

/** The longest that a round takes. 0 means no limit. */
export function limitRoundMs(knocker: HopKnocker | undefined, timeoutMs: number): number {
  const impatient = (knocker?.tries ?? 1) - 1;
  return timeoutMs === 0 ? 0 : timeoutMs + impatient * limitDialMs(false, timeoutMs);
}

/**
 * Knocks and dials, with another knock each time, until a dial gets an answer.
 *
 * @param knocker what opens the machine; nothing where no gate is known
 * @param timeoutMs the limit of the last dial. 0 means no limit
 */
export async function dialInRound<C>(
  knocker: HopKnocker | undefined,
  timeoutMs: number,
  dial: (packets: readonly KnockStep[], timeoutMs: number) => Promise<C>,
): Promise<C> {
  if (knocker === undefined) return dial([], timeoutMs);
  for (let left = knocker.tries; ; left -= 1) {
    try {
      const client = await dial(knocker.next(), limitDialMs(left <= 1, timeoutMs));
      knocker.succeed();
      return client;
    } catch (error) {
      if (left <= 1 || !(error instanceof KnockgateError) || readAnswer(error) !== "silent") throw error;
    }
  }
}
