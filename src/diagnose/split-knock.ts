import { receivePacket } from "../model/machine.js";
import type { Packet } from "../model/packet.js";
import { isStepPacket } from "../model/sequence.js";
import { initialState, type State } from "../model/state.js";
import { isAllowed, isDenied, isLinkLocal } from "../policy/gate.js";
import { stepsOf } from "../policy/knock.js";
import type { Gate, Policy } from "../policy/policy.js";

/** A whole knock whose steps all came, but from more than one address. */
export interface SplitKnock {
  /** The sources of its steps, in order. */
  readonly steps: readonly string[];
  /** The same sources, each only once. */
  readonly sources: readonly string[];
}

/**
 * Finds the first knock that would have opened a gate if all its steps had come from one address. Sources in `others`
 * are skipped: the door opened for them anyway.
 */
export function findSplitKnock(
  policy: Policy,
  gate: Gate,
  packets: readonly Packet[],
  others: ReadonlySet<string>,
): SplitKnock | undefined {
  const one = "192.0.2.1";
  const alone: Policy = { ...policy, gates: [gate], allowFrom: [], denyFrom: [] };
  let state: State = initialState;
  let steps: readonly string[] = [];
  for (const packet of packets) {
    const { source, kind } = packet;
    if (others.has(source) || !stepsOf(gate).some((step) => isStepPacket(step, kind))) continue;
    if (isAllowed(policy, source) || isDenied(policy, source) || isLinkLocal(source)) continue;
    const outcome = receivePacket(alone, state, { ...packet, source: one });
    state = outcome.state;
    const [reaction] = outcome.reactions;
    if (reaction?.kind === "step") steps = [...steps.slice(0, reaction.taken - 1), source];
    if (reaction?.kind === "opened") {
      const sources = [...new Set([...steps, source])];
      if (sources.length > 1) return { steps: [...steps, source], sources };
    }
  }
  return undefined;
}
