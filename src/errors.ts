import { escapeControls } from "./printable.js";

/**
 * What went wrong, as a stable word for programs.
 *
 * - `POLICY_INVALID`: the policy has findings. Nothing was contacted.
 * - `ARGUMENTS_INVALID`: the connection or an option has a wrong shape. Nothing was contacted.
 * - `HOST_KEY_UNKNOWN`: the key of the host, or of the bastion, is neither pinned nor in known_hosts.
 * - `HOST_KEY_MISMATCH`: that key differs from the pinned or known one.
 * - `UNREACHABLE`: no SSH connection was made, with or without the knock.
 * - `LOGIN_REFUSED`: the host, or the bastion, answered, but accepted none of the ways to log in.
 * - `NOT_ALLOWED`: logged in, but neither as root nor with a sudo or doas that permits it, with or without the
 *   password.
 * - `HOST_UNFIT`: the host, the bastion or this machine lacks something Knockgate needs.
 * - `LOCKOUT`: the policy would leave this machine no way in.
 * - `OWNED_BY_ANOTHER`: another owner has confirmed the policy on the host, and `adopt` is not set.
 * - `CHANGE_PENDING`: another change of the same policy waits for its confirmation.
 * - `STAGE_FAILED`: the host refused the ruleset, or could not have undone it, before anything was changed.
 * - `NOT_CONFIRMED`: the ruleset was armed or loaded, but not confirmed.
 * - `WAVE_FAILED`: more hosts of a wave failed than the rollout allows. Later waves were not begun.
 * - `HOST_FAILED`: a command on the host failed in a way that no other code names.
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

/**
 * The only error that this package throws. Its message ends with its code, because an engine passes on only messages.
 */
export class KnockgateError extends Error {
  /** For programs. The words of the message may change. */
  readonly code: ErrorCode;
  /** What happened, where, what state the host is in, and what to do next. */
  readonly summary: string;
  /** Whether the host may have confirmed the change despite the error. If so, the gate opens only for the new knock. */
  readonly mayHaveConfirmed: boolean;

  /** Makes the message: the summary, then the code. */
  constructor(
    code: ErrorCode,
    summary: string,
    options: { readonly cause?: unknown; readonly mayHaveConfirmed?: boolean } = {},
  ) {
    // The summary may contain text from outside.
    const shown = escapeControls(summary);
    super(`${shown} [${code}]`, options);
    this.mayHaveConfirmed = options.mayHaveConfirmed ?? false;
    this.name = "KnockgateError";
    this.code = code;
    this.summary = shown;
  }

  /** The summary without its full stop, for use inside a longer sentence. */
  get clause(): string {
    return this.summary.replace(/[.]$/, "");
  }
}

/** Ends a `switch` over a union: a new kind does not compile until it is handled. */
export function unreachable(value: never): never {
  throw new Error(`unhandled kind: ${JSON.stringify(value)}`);
}
