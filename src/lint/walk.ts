import type { SequenceKnock } from "../policy/policy.js";
import { type Step, sameStep } from "../policy/step.js";

/**
 * Whether packets from one source complete a knock. They are sent in this order, each from its own source port. Each
 * packet is written as the step that it would be.
 */
export function opens({ steps, strict }: SequenceKnock, sent: readonly Step[]): boolean {
  const isStep = (position: number, packet: Step): boolean => {
    const step = steps[position - 1];
    return step !== undefined && sameStep(step, packet);
  };
  let taken = 0;
  for (const packet of sent) {
    if (isStep(taken + 1, packet)) taken++;
    // The step that was just taken may come again. That changes nothing.
    else if (taken > 1 && isStep(taken, packet)) continue;
    else if (isStep(1, packet)) taken = 1;
    else if (strict) taken = 0;
    if (taken === steps.length) return true;
  }
  return false;
}
