import { unreachable } from "../errors.js";
import type { SequenceGate } from "../policy/knock.js";
import type { Step } from "../policy/step.js";
import type { PacketKind } from "./packet.js";
import { type Progress, type Reaction, react } from "./state.js";

/** What a packet does to a source's progress at one gate. */
export interface Move {
  readonly progress: Progress;
  readonly reaction: Reaction;
}

/** Takes a packet as a step, or as something else, in a gate's sequence. */
export function advance(gate: SequenceGate, before: Progress, kind: PacketKind, atMs: number): Move {
  const { steps, stepTimeoutSeconds, strict } = gate.knock;
  const isLate = before.taken > 0 && atMs - before.takenAtMs >= stepTimeoutSeconds * 1_000;
  const current: Progress = isLate ? { ...before, taken: 0 } : before;
  const expired = isLate ? before.taken : 0;
  const move = (progress: Progress, what: Reaction["kind"]): Move => {
    return { progress, reaction: { ...react(gate, what, progress), expired } };
  };
  const isStep = (position: number): boolean => {
    const step = steps[position - 1];
    return step !== undefined && isStepPacket(step, kind);
  };
  // A packet stays known whatever comes in between: the network can repeat it late, as long as a whole knock can take.
  const known = current.knownUntilMs;
  const take = (taken: number): Move => {
    if (taken === steps.length) {
      return move({ ...current, taken: 0, openUntilMs: atMs + gate.openForSeconds * 1_000 }, "opened");
    }
    const packet = nameInRun(steps, taken, kind);
    const untilMs = atMs + stepTimeoutSeconds * 1_000 * steps.length;
    const knownUntilMs = packet === undefined ? known : new Map(known).set(packet, untilMs);
    return move({ ...current, taken, takenAtMs: atMs, knownUntilMs }, "step");
  };
  const isSentAgain = atMs < (known.get(nameInRun(steps, current.taken, kind) ?? "") ?? 0);
  if (current.taken > 0 && isStep(current.taken + 1) && !isSentAgain) return take(current.taken + 1);
  if (current.taken > 1 && isStep(current.taken)) return move(current, "again");
  if (isStep(1)) return take(1);
  if (strict && current.taken > 0) return move({ ...current, taken: 0 }, "reset");
  return move(current, "stray");
}

/**
 * Names a packet in a run of steps that look alike, by the position where the run begins and by the packet's source
 * port. `undefined`: one packet can't be both this step and the next.
 */
function nameInRun(steps: readonly Step[], position: number, kind: PacketKind): string | undefined {
  const isLikeNext = (place: number): boolean => {
    const [one, next] = [steps[place - 1], steps[place]];
    return one !== undefined && next !== undefined && canBeOnePacket(one, next);
  };
  if (!("sourcePort" in kind) || !isLikeNext(position)) return undefined;
  let first = position;
  while (isLikeNext(first - 1)) first--;
  return `${first} ${kind.sourcePort}`;
}

/** Whether one packet could be both steps. The model decides this by itself. The rules are rendered with `sameStep`. */
function canBeOnePacket(one: Step, other: Step): boolean {
  switch (one.kind) {
    case "tcp":
      return other.kind === "tcp" && other.port === one.port;
    case "udp": {
      if (other.kind !== "udp" || other.port !== one.port) return false;
      const sizes = new Set([one.payloadBytes, other.payloadBytes]);
      return sizes.size === 1 || sizes.has(undefined);
    }
    case "icmpEcho":
      return other.kind === "icmpEcho" && other.payloadBytes === one.payloadBytes;
    default:
      return unreachable(one);
  }
}

/** Whether a packet fits a step, at any point of a knock. */
export function isStepPacket(step: Step, kind: PacketKind): boolean {
  switch (step.kind) {
    case "tcp":
      return kind.kind === "tcp" && kind.port === step.port;
    case "udp":
      return (
        kind.kind === "udp" &&
        kind.port === step.port &&
        (step.payloadBytes === undefined || step.payloadBytes === kind.payloadBytes)
      );
    case "icmpEcho":
      return kind.kind === "echo" && kind.payloadBytes === step.payloadBytes;
    default:
      return unreachable(step);
  }
}
