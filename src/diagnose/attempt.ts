import { receivePacket } from "../model/machine.js";
import type { Packet } from "../model/packet.js";
import { initialState, type Reaction, type State } from "../model/state.js";
import { fillTokens, type HeldTokens, type TokenFault } from "../model/token.js";
import { isAllowed, isDenied, isLinkLocal } from "../policy/gate.js";
import { stepsOf } from "../policy/knock.js";
import type { Gate, Policy } from "../policy/policy.js";
import type { CapturedPacket } from "./capture/captured-packet.js";
import { type Cause, findCause, findWrongSize } from "./cause.js";

/** How one gate reacted to one packet. */
export interface GateEvent {
  readonly gate: Gate;
  readonly reaction: Reaction;
  readonly cause: Cause | undefined;
  /** Time since the step before, if the packet took a step. */
  readonly sinceStepMs: number | undefined;
  /** When the door closes or closed. 0: it was never open. */
  readonly openUntilMs: number;
  /** Whether it is known what token the packet carries, if it carries one. */
  readonly isRead: boolean;
}

/** A packet that could carry a token. */
interface RefusedToken {
  readonly atMs: number;
  /** `undefined`: it is not known what it carries. */
  readonly fault: TokenFault | undefined;
}

/** The tokens that the host holds, for all sources: each token is good once. They are updated with each packet. */
interface TokenStore {
  held: HeldTokens | undefined;
}

/** What one source did at one gate, from its first packet to its last. */
export interface GateAttempt {
  readonly source: string;
  readonly gate: Gate;
  /** Why no knock of the source counts, or why it needs none. */
  readonly listed: "allowed" | "denied" | "link-local" | undefined;
  readonly causes: Cause[];
  /** The numbers of the steps that packets took. */
  readonly steps: number[];
  /** For each step's number: the source port of the packet that took it last. */
  readonly sourcePorts: Map<number, number>;
  readonly openedAtMs: number[];
  readonly acceptedAtMs: number[];
  readonly droppedAtMs: number[];
  /** Packets that could carry a token and opened nothing. */
  readonly refused: RefusedToken[];
  /** How many steps are taken now. */
  taken: number;
  openUntilMs: number;
}

/** One source's packets on a policy's model. */
export interface SourceAttempts {
  /** One for each gate. They are updated with each received packet. */
  readonly attempts: readonly GateAttempt[];
  receive(packet: CapturedPacket): readonly GateEvent[];
}

/**
 * Fills a host with all tokens that it should hold at a time.
 *
 * @param host its name for tokens. `undefined`: it is not known, and so no token is read
 */
export function holdTokens(policy: Policy, host: string | undefined, atMs: number): TokenStore {
  return { held: host === undefined ? undefined : fillTokens(policy, host, atMs) };
}

/** Follows only one source: the model treats sources separately, except that they share the host's tokens. */
export function followSource(policy: Policy, source: string, host: TokenStore): SourceAttempts {
  const listed = listSource(policy, source);
  const attempts = policy.gates.map((gate) => beginAttempt(source, gate, listed));
  let state: State = initialState;
  const receive = (packet: CapturedPacket): readonly GateEvent[] => {
    const known = state.sources.get(source);
    const tokens = host.held && fillTokens(policy, host.held.host, packet.atMs, host.held);
    const outcome = receivePacket(policy, { ...state, tokens }, packet);
    state = outcome.state;
    host.held = state.tokens;
    for (const attempt of attempts) attempt.causes.push(...findWrongSize(attempt.gate, packet.kind));
    return outcome.reactions.flatMap((reaction) => {
      const attempt = attempts.find(({ gate }) => gate.name === reaction.gate);
      if (attempt === undefined) return [];
      const before = known?.get(reaction.gate);
      const { gate, sourcePorts } = attempt;
      const cause = findCause({ gate, packet, reaction, before, sourcePorts });
      const isOn = reaction.expired === 0 && (before?.taken ?? 0) > 0;
      const sinceStepMs = isOn ? packet.atMs - (before?.takenAtMs ?? 0) : undefined;
      const openUntilMs = state.sources.get(source)?.get(gate.name)?.openUntilMs ?? 0;
      const isRead = packet.token !== undefined && host.held !== undefined;
      record(attempt, packet, reaction, cause, openUntilMs);
      if (reaction.kind === "refused")
        attempt.refused.push({ atMs: packet.atMs, fault: isRead ? reaction.fault : undefined });
      return [{ gate, reaction, cause, sinceStepMs, openUntilMs, isRead }];
    });
  };
  return { attempts, receive };
}

function listSource(policy: Policy, source: string): GateAttempt["listed"] {
  if (isDenied(policy, source)) return "denied";
  if (isAllowed(policy, source)) return "allowed";
  return isLinkLocal(source) ? "link-local" : undefined;
}

export function beginAttempt(source: string, gate: Gate, listed: GateAttempt["listed"]): GateAttempt {
  return {
    source,
    gate,
    listed,
    causes: [],
    steps: [],
    sourcePorts: new Map(),
    openedAtMs: [],
    acceptedAtMs: [],
    droppedAtMs: [],
    refused: [],
    taken: 0,
    openUntilMs: 0,
  };
}

function record(
  attempt: GateAttempt,
  { atMs, kind }: Packet,
  reaction: Reaction,
  cause: Cause | undefined,
  openUntilMs: number,
): void {
  if (cause !== undefined) attempt.causes.push(cause);
  attempt.openUntilMs = openUntilMs;
  switch (reaction.kind) {
    case "step":
    case "opened": {
      const step = reaction.kind === "opened" ? stepsOf(attempt.gate).length : reaction.taken;
      attempt.steps.push(step);
      if ("sourcePort" in kind) attempt.sourcePorts.set(step, kind.sourcePort);
      if (reaction.kind === "opened") attempt.openedAtMs.push(atMs);
      attempt.taken = reaction.taken;
      return;
    }
    case "refused":
    case "closed":
    case "again":
    case "reset":
    case "stray":
      attempt.taken = reaction.taken;
      return;
    case "accepted":
      attempt.acceptedAtMs.push(atMs);
      return;
    case "dropped":
      attempt.droppedAtMs.push(atMs);
      return;
  }
}
