import type { Gate } from "../policy/policy.js";
import { type Step, sameStep } from "../policy/step.js";

/**
 * Whether packets of one source, one after the other and each from another port, walk through a knock. A packet is
 * written as the step that it would be.
 */
export function opens({ steps, strict }: Gate["knock"], sent: readonly Step[]): boolean {
  const isStep = (position: number, packet: Step): boolean => {
    const step = steps[position - 1];
    return step !== undefined && sameStep(step, packet);
  };
  let taken = 0;
  for (const packet of sent) {
    if (isStep(taken + 1, packet)) taken++;
    // What was just taken may come again, and changes nothing.
    else if (taken > 1 && isStep(taken, packet)) continue;
    else if (isStep(1, packet)) taken = 1;
    else if (strict) taken = 0;
    if (taken === steps.length) return true;
  }
  return false;
}
