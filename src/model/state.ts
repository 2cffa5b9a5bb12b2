import type { Gate } from "../policy/policy.js";
import type { PacketVerdict } from "./packet.js";
import type { HeldTokens, TokenFault } from "./token.js";

/** What a policy remembers. */
export interface State {
  /** By source, then by gate. */
  readonly sources: ReadonlyMap<string, ReadonlyMap<string, Progress>>;
  /** The tokens that the host holds. Absent: it holds none. */
  readonly tokens?: HeldTokens | undefined;
}

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
  readonly kind:
    | "step"
    | "again"
    | "opened"
    | "closed"
    | "refused"
    | "reset"
    | "stray"
    | "accepted"
    | "dropped";
  /** Whose token opened or closed the door. */
  readonly user?: string;
  /** Why a packet that could carry a token was refused. */
  readonly fault?: TokenFault;
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

export const initialState: State = { sources: new Map() };

export const fresh: Progress = { taken: 0, takenAtMs: 0, knownUntilMs: new Map(), openUntilMs: 0 };

/** Makes a reaction that forgets no step. */
export function react(gate: Gate, kind: Reaction["kind"], progress: Progress): Reaction {
  return { gate: gate.name, kind, taken: progress.taken, expired: 0 };
}
