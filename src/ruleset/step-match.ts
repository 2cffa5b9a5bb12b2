import type { SequenceGate } from "../policy/knock.js";
import type { PlacedGate } from "../policy/policy-path.js";
import { sameStep } from "../policy/step.js";
import type { StepMatch } from "./ruleset.js";

/** A gate with a sequence. */
export type PlacedSequence = PlacedGate & SequenceGate;

/** Whether a source can be between two steps of a gate's sequence. */
export function hasProgress({ knock }: SequenceGate): boolean {
  return knock.steps.length > 1;
}

/** Makes the matches of all steps of a gate. */
export function listStepMatches(gate: PlacedSequence): readonly StepMatch[] {
  return gate.knock.steps.map((_, index) => toStepMatch(gate, index + 1));
}

/** Makes the match of a gate's step. `position` is from 1. */
export function toStepMatch(gate: PlacedSequence, position: number): StepMatch {
  const packet = gate.knock.steps[position - 1];
  const path = gate.paths.steps[position - 1];
  if (packet === undefined || path === undefined)
    throw new RangeError(`no step ${position} at gate ${gate.name}`);
  return { gate: gate.name, position, packet, path };
}

/** Returns the step at this position, from 1. */
export function stepAt(steps: readonly StepMatch[], position: number): StepMatch {
  const step = steps[position - 1];
  if (step === undefined) throw new RangeError(`no step ${position}`);
  return step;
}

/**
 * Returns the first of the consecutive steps that look alike. They share one set of packets, which is named after it.
 */
export function firstAlike(steps: readonly StepMatch[], position: number): number {
  return position > 1 && looksLikeNext(steps, position - 1) ? firstAlike(steps, position - 1) : position;
}

/** Whether one packet could be taken for this step and for the next. */
export function looksLikeNext(steps: readonly StepMatch[], position: number): boolean {
  const next = steps[position];
  return next !== undefined && sameStep(stepAt(steps, position).packet, next.packet);
}
