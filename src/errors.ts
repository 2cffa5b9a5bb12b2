import { escapeControls } from "./printable.js";

/**
 * What went wrong, as a stable word for programs.
 *
 * - `POLICY_INVALID`: the policy has findings; nothing was contacted.
 * - `ARGUMENTS_INVALID`: the connection or an option has a wrong shape; nothing was contacted.
 * - `HOST_KEY_UNKNOWN`: the key of the host, or of the bastion, is neither pinned nor in known_hosts.
 * - `HOST_KEY_MISMATCH`: that key is another than the pinned or known one.
 * - `UNREACHABLE`: no SSH connection came about, with or without the knock.
 * - `LOGIN_REFUSED`: the host, or the bastion, answered, but took none of the ways to log in.
 * - `NOT_ALLOWED`: logged in, but neither as root nor with a sudo or doas that lets it, with or without the password.
 * - `HOST_UNFIT`: the host, the bastion or this machine lacks something Knockgate needs.
 * - `LOCKOUT`: the policy would leave this machine no way in.
 * - `OWNED_BY_ANOTHER`: another owner has confirmed the policy on the host, and `adopt` was not asked for.
 * - `CHANGE_PENDING`: another change on the same policy waits for its confirmation.
 * - `STAGE_FAILED`: the host refused the ruleset before anything was changed.
 * - `NOT_CONFIRMED`: the ruleset was armed or loaded, but not confirmed.
 * - `WAVE_FAILED`: more hosts of a wave failed than the rollout allows; later waves were not begun.
 * - `HOST_FAILED`: a command on the host failed in a way that none of the others names.
 */
export type ErrorCode =
  | "POLICY_INVALID"
  | "ARGUMENTS_INVALID"
  | "HOST_KEY_UNKNOWN"
  | "HOST_KEY_MISMATCH"
  | "UNREACHABLE"
  | "LOGIN_REFUSED"
  | "NOT_ALLOWED"
  | "HOST_UNFIT"
  | "LOCKOUT"
  | "OWNED_BY_ANOTHER"
  | "CHANGE_PENDING"
  | "STAGE_FAILED"
  | "NOT_CONFIRMED"
  | "WAVE_FAILED"
  | "HOST_FAILED";

/** The one error this package throws. Its message ends with its code, because an engine passes on messages alone. */
export class KnockgateError extends Error {
  /** For programs: the message may change its words. */
  readonly code: ErrorCode;
  /** What happened, where, what state the host is in, and what to do next. */
  readonly summary: string;
  /** Whether the host may have confirmed the change all the same: then it opens for the new knock alone. */
  readonly mayHaveConfirmed: boolean;

  /** Its message is the summary with the code behind it. */
  constructor(
    code: ErrorCode,
    summary: string,
    options: { readonly cause?: unknown; readonly mayHaveConfirmed?: boolean } = {},
  ) {
    // What was read somewhere may be in it.
    const shown = escapeControls(summary);
    super(`${shown} [${code}]`, options);
    this.mayHaveConfirmed = options.mayHaveConfirmed ?? false;
    this.name = "KnockgateError";
    this.code = code;
    this.summary = shown;
  }

  /** The summary without its full stop, for within a longer sentence. */
  get clause(): string {
    return this.summary.replace(/[.]$/, "");
  }
}

/** Ends a `switch` over a union: a new kind does not compile until it is handled. */
export function unreachable(value: never): never {
  throw new Error(`unhandled kind: ${JSON.stringify(value)}`);
}
