import type { GateExplanation } from "./explanation.js";
import { formatSeconds } from "./words.js";

/** Names the state of a source that has taken `taken` of a knock's steps. */
export function describeState(taken: number, steps: number): string {
  if (taken === 0) return "closed";
  return taken === steps ? "open" : `step ${taken} of ${steps} taken`;
}

/** Says what puts a source in mid-knock back to the start. */
export function describeReturn({ betweenSteps }: GateExplanation): string {
  const late = `${formatSeconds(betweenSteps?.timeoutSeconds ?? 0)} without the next step`;
  return betweenSteps?.isStrict ? `any other new packet, or ${late}` : late;
}
