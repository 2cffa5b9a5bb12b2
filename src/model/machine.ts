import { unreachable } from "../errors.js";
import { isAllowed, isDenied, isLinkLocal, isProtected } from "../policy/gate.js";
import type { Gate, Policy } from "../policy/policy.js";
import type { Step } from "../policy/step.js";
import type { Packet, PacketKind, Verdict } from "./packet.js";

/** What a policy remembers of all sources. */
export type State = ReadonlyMap<string, ReadonlyMap<string, Progress>>;

/** How far one source is with one gate. */
export interface Progress {
  /** Steps taken in a row, without the last. */
  readonly taken: number;
  /** When the last of them was taken. */
  readonly takenAtMs: number;
  /** Packets that took a step and could pass for the next one: until when each is known when it comes again. */
  readonly knownUntilMs: ReadonlyMap<string, number>;
  /** Until when the door is open; 0 when it never was. */
  readonly openUntilMs: number;
}

/** Why a gate did what it did with a packet. */
export interface Reaction {
  readonly gate: string;
  readonly kind: "step" | "again" | "opened" | "reset" | "stray" | "accepted" | "dropped";
  /** The steps taken after the packet. */
  readonly taken: number;
  /** Steps that had been taken and were forgotten, because the next one came too late. */
  readonly expired: number;
}

export interface Outcome {
  readonly state: State;
  readonly verdict: Verdict;
  readonly reactions: readonly Reaction[];
}

export const initialState: State = new Map();

const fresh: Progress = { taken: 0, takenAtMs: 0, knownUntilMs: new Map(), openUntilMs: 0 };

/**
 * Reads a policy as a state machine over packets: from what it means, and not from how a firewall is told.
 *
 * Limits of a backend, such as how many sources it can remember or how many first steps it counts in a second, are no
 * part of it.
 */
export function receivePacket(policy: Policy, state: State, packet: Packet): Outcome {
  const { kind, source, atMs } = packet;
  const pass: Outcome = { state, verdict: "passed", reactions: [] };
  if (kind.kind === "established") return pass;
  const gate = policy.gates.find((candidate) => isAtDoor(candidate, kind));
  if (isDenied(policy, source)) {
    return gate === undefined
      ? pass
      : { ...pass, verdict: "dropped", reactions: [react(gate, "dropped", fresh)] };
  }
  if (isAllowed(policy, source)) return pass;
  const known = state.get(source) ?? new Map<string, Progress>();
  if (gate !== undefined) {
    const progress = known.get(gate.name) ?? fresh;
    const verdict = atMs < progress.openUntilMs ? "accepted" : "dropped";
    return { state, verdict, reactions: [react(gate, verdict, progress)] };
  }
  if (isLinkLocal(source)) return pass;
  const moves = policy.gates.map((each) => advance(each, known.get(each.name) ?? fresh, kind, atMs));
  const next = new Map(policy.gates.map((each, index) => [each.name, moves[index]?.progress ?? fresh]));
  return {
    state: new Map(state).set(source, next),
    verdict: "passed",
    reactions: moves.map((move) => move.reaction),
  };
}

/** Whether a source's door is open at a time. */
export function isOpen(state: State, source: string, gate: string, atMs: number): boolean {
  return atMs < (state.get(source)?.get(gate)?.openUntilMs ?? 0);
}

interface Move {
  readonly progress: Progress;
  readonly reaction: Reaction;
}

function advance(gate: Gate, before: Progress, kind: PacketKind, atMs: number): Move {
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
  // Whatever came in between: the network can bring a packet again late, as long as a whole knock can take.
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
 * Names a packet within a run of steps that it could all be: by where the run begins and the port it comes from.
 * `undefined` where it could not be the step and the next one, too.
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

/** The model reads this for itself: what renders rules reads it by `sameStep`. */
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

/** Whether a packet is a step's, wherever in a knock it comes. */
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

/** Whether a packet goes to a port that a gate protects. */
export function isAtDoor(gate: Gate, kind: PacketKind): boolean {
  switch (kind.kind) {
    case "tcp":
    case "udp":
      return isProtected(gate, kind.kind, kind.port);
    case "echo":
    case "established":
      return false;
    default:
      return unreachable(kind);
  }
}

function react(gate: Gate, kind: Reaction["kind"], progress: Progress): Reaction {
  return { gate: gate.name, kind, taken: progress.taken, expired: 0 };
}
