import { isSequenceGate, type SequenceGate } from "../policy/knock.js";
import type { Violation } from "../policy/lint-rule.js";
import type { Policy } from "../policy/policy.js";

/**
 * Asks each gate that a sequence opens.
 *
 * @param find takes the gate, and its index in the policy
 */
export function eachSequence(
  { gates }: Policy,
  find: (gate: SequenceGate, index: number) => readonly Violation[],
): readonly Violation[] {
  return gates.flatMap((gate, index) => (isSequenceGate(gate) ? find(gate, index) : []));
}
