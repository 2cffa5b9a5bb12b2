import type { Counts, DoorEvent } from "../policy/counts.js";
import type { Gate } from "../policy/policy.js";

/** Whether at least `atLeast` packets to a gate were counted between two readings. */
export function hasRisen(
  event: DoorEvent,
  gate: Gate,
  before: Counts | undefined,
  after: Counts | undefined,
  atLeast: number,
): boolean {
  const [earlier, later] = [before?.get(gate.name), after?.get(gate.name)];
  return earlier !== undefined && later !== undefined && later[event] - earlier[event] >= atLeast;
}
