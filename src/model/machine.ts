import { unreachable } from "../errors.js";
import { isAllowed, isDenied, isLinkLocal, isProtected } from "../policy/gate.js";
import type { Gate, Policy } from "../policy/policy.js";
import type { Step } from "../policy/step.js";
import type { Packet, PacketKind, PacketVerdict } from "./packet.js";

/** What a policy remembers: by source, then by gate. */
export type State = ReadonlyMap<string, ReadonlyMap<string, Progress>>;

/** How far one source is at one gate. */
export interface Progress {
  /** How many steps were taken in a row. The last step of a sequence opens the door and sets this to 0. */
  readonly taken: number;
  /** When the last of them was taken. */
  readonly takenAtMs: number;
  /** Packets that took a step and look like the next step. For each: until when it is recognized if it is repeated. */
  readonly knownUntilMs: ReadonlyMap<string, number>;
  /** When the door closes or closed. 0: it was never open. */
  readonly openUntilMs: number;
}

/** How a gate reacted to a packet. */
export interface Reaction {
  readonly gate: string;
  readonly kind: "step" | "again" | "opened" | "reset" | "stray" | "accepted" | "dropped";
  /** How many steps are taken after the packet. */
  readonly taken: number;
  /** How many steps were taken before and are forgotten, because the next one came too late. */
  readonly expired: number;
}

export interface Transition {
  readonly state: State;
  readonly verdict: PacketVerdict;
  readonly reactions: readonly Reaction[];
}

export const initialState: State = new Map();

const fresh: Progress = { taken: 0, takenAtMs: 0, knownUntilMs: new Map(), openUntilMs: 0 };

/**
 * Runs a policy as a state machine over packets. It is written from the meaning of a policy, and not from the rules of
 * a firewall.
 *
 * The limits of a backend are not part of it, for example how many sources it can remember, or how many first steps it
 * counts in a second.
 */
export function receivePacket(policy: Policy, state: State, packet: Packet): Transition {
  const { kind, source, atMs } = packet;
  const pass: Transition = { state, verdict: "passed", reactions: [] };
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
