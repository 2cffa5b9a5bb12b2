import { unreachable } from "../errors.js";
import { isAllowed, isDenied, isLinkLocal, isProtected } from "../policy/gate.js";
import { isSequenceGate, isTokenGate } from "../policy/knock.js";
import type { Gate, Policy } from "../policy/policy.js";
import type { Packet, PacketKind } from "./packet.js";
import { advance } from "./sequence.js";
import { fresh, type Progress, type Reaction, react, type State, type Transition } from "./state.js";
import { isHeldToken, readToken } from "./token.js";

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
  const known = state.sources.get(source) ?? new Map<string, Progress>();
  if (gate !== undefined) {
    const progress = known.get(gate.name) ?? fresh;
    const verdict = atMs < progress.openUntilMs ? "accepted" : "dropped";
    const isUsedUp = gate.singleConnection && verdict === "accepted";
    const next = isUsedUp ? remember(state, source, gate, { ...progress, openUntilMs: atMs }) : state;
    return { state: next, verdict, reactions: [react(gate, verdict, progress)] };
  }
  if (isLinkLocal(source)) return pass;
  const { refused, right } = readTokens(policy, state, packet, known);
  if (right !== undefined) return { ...right, verdict: "passed" };
  // A token is a step of no sequence, and resets none, even if it does not count here.
  if (isHeldToken(policy, state.tokens, packet)) return { ...pass, reactions: refused };
  const gates = policy.gates.filter(isSequenceGate);
  const moves = gates.map((each) => advance(each, known.get(each.name) ?? fresh, kind, atMs));
  const next = new Map([
    ...known,
    ...gates.map((each, index) => [each.name, moves[index]?.progress ?? fresh] as const),
  ]);
  return {
    state: { ...state, sources: new Map(state.sources).set(source, next) },
    verdict: "passed",
    reactions: [...refused, ...moves.map((move) => move.reaction)],
  };
}

interface TokenOutcome {
  /** How gates reacted to a packet that could carry a token and is not right. */
  readonly refused: readonly Reaction[];
  /** `undefined`: no gate takes the packet's token. */
  readonly right: Pick<Transition, "state" | "reactions"> | undefined;
}

function readTokens(
  policy: Policy,
  state: State,
  packet: Packet,
  known: ReadonlyMap<string, Progress>,
): TokenOutcome {
  const refused: Reaction[] = [];
  for (const gate of policy.gates.filter(isTokenGate)) {
    const progress = known.get(gate.name) ?? fresh;
    const reading = readToken(policy, gate, state.tokens, packet);
    switch (reading.kind) {
      case "other":
        break;
      case "refused":
        refused.push({ ...react(gate, "refused", progress), fault: reading.fault });
        break;
      case "right": {
        const { use, user, held: tokens } = reading;
        const openForMs = use === "open" ? gate.openForSeconds * 1_000 : 0;
        const moved = { ...progress, openUntilMs: packet.atMs + openForMs };
        return {
          refused,
          right: {
            state: { ...remember(state, packet.source, gate, moved), tokens },
            reactions: [{ ...react(gate, use === "open" ? "opened" : "closed", moved), user }],
          },
        };
      }
      default:
        return unreachable(reading);
    }
  }
  return { refused, right: undefined };
}

function remember(state: State, source: string, gate: Gate, progress: Progress): State {
  const known = new Map(state.sources.get(source)).set(gate.name, progress);
  return { ...state, sources: new Map(state.sources).set(source, known) };
}

/** Whether a source's door is open at a time. */
export function isOpen(state: State, source: string, gate: string, atMs: number): boolean {
  return atMs < (state.sources.get(source)?.get(gate)?.openUntilMs ?? 0);
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
