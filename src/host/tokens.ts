import type { Policy } from "../policy/policy.js";
import { countSlots } from "../policy/token.js";
import { listTokenGates, listUsersOf } from "../policy/user.js";

/** What a host says of a confirmed policy's tokens. All times are in seconds since 1970. */
export interface ObservedTokens {
  /** SHA-256 of what the host makes its tokens from. Secret. */
  readonly digest: string;
  /** The host's name that its tokens are bound to. Empty: what it makes them from does not say it. */
  readonly host: string;
  /** Whether users other than root may read what it makes its tokens from. */
  readonly isReadable?: true;
  /** Until when each user has tokens there. 0: some user has none. */
  readonly until: number;
  readonly users: readonly ObservedUser[];
}

/** A user's tokens for one gate. */
export interface ObservedUser {
  readonly gate: string;
  readonly user: string;
  /** The first slot's beginning. It is later than now when the host has lost its tokens. */
  readonly from: number;
  /** The last slot's end; 0 when the host has no tokens of this user. */
  readonly until: number;
  /** Doors that the user has opened since the counter began, at a boot or when the whole table was replaced. */
  readonly opened: number;
  /**
   * The last opening lies between these times. The kernel keeps no time: the host compares its counters each time that
   * it fills its sets. Absent: no opening is known.
   */
  readonly last?: { readonly from: number; readonly to: number };
}

/** What a host's log has of users who opened gates. Times are in seconds since 1970. */
export interface LoggedOpenings {
  /** `journal`: of all boots. `kernel`: what the kernel still has of this boot. `none`: neither can be read. */
  readonly log: "journal" | "kernel" | "none";
  /** How far back it was read. */
  readonly since?: number;
  readonly openings: readonly LoggedOpening[];
}

/** The last opening of a gate by a user that the log has. */
export interface LoggedOpening {
  readonly gate: string;
  readonly user: string;
  readonly at: number;
  /** Where the token came from. */
  readonly source: string;
}

/** On a slow host; a fast one needs a fifth of it. */
const tokenMs = 2;

/** How much longer a command may take that fills a host's sets of tokens. */
export function limitFillMs(policy: Policy): number {
  const holders = listTokenGates(policy).flatMap(({ name }) => listUsersOf(policy, name));
  return Math.ceil(holders.length * countSlots(policy.tokens) * tokenMs);
}
