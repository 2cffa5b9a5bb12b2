import { setTimeout as pause } from "node:timers/promises";
import { KnockgateError } from "../errors.js";

/** How often to try again, and what to log. */
export interface RetryPolicy {
  /** Failed tries allowed before giving up. -1 means no limit. */
  readonly errorLimit: number;
  /** The longest that one try takes, for messages. 0 means no limit. */
  readonly tryMs: number;
  /** Whether to try again after a refused login: see {@link refusalPauseMs}. Default: false. */
  readonly forgivesRefusal?: boolean | undefined;
  /** Is told of each failed try that another one follows. Default: nothing is logged. */
  readonly log?: ((line: string) => void) | undefined;
  /** Describes a failed try, without a full stop. Default: the error's clause. */
  readonly describe?: (error: KnockgateError) => string;
}

/**
 * sshd refuses a source whose logins failed too often: each failed login adds a penalty of 5 s, and from 15 s on sshd
 * refuses (PerSourcePenalties in sshd_config(5)). With a pause longer than 5 s, the penalties never add up.
 */
const refusalPauseMs = 6_000;

/**
 * Tries until a try succeeds or `errorLimit` is reached. Normally only `UNREACHABLE` is worth another try: a refused
 * login is refused again, and the other side counts it. A new machine may get its keys some moments after its sshd
 * answers, as with cloud-init: with `forgivesRefusal`, a refused login is tried again, too.
 */
export async function retry<T>(patience: RetryPolicy, dial: () => Promise<T>): Promise<T> {
  for (let errors = 1; ; errors += 1) {
    try {
      return await dial();
    } catch (error) {
      const isLast = patience.errorLimit >= 0 && errors > patience.errorLimit;
      if (isLast || !isWorthAnother(error, patience)) throw error;
      patience.log?.(describeRound(error, errors, patience));
      await pause(choosePause(error, errors));
    }
  }
}

function isWorthAnother(error: unknown, { forgivesRefusal = false }: RetryPolicy): error is KnockgateError {
  if (!(error instanceof KnockgateError)) return false;
  return error.code === "UNREACHABLE" || (forgivesRefusal && error.code === "LOGIN_REFUSED");
}

function choosePause(error: KnockgateError, errors: number): number {
  return error.code === "LOGIN_REFUSED" ? refusalPauseMs : Math.min(1_000 * errors, 5_000);
}

/** Says what failed, which try of how many it was, and how long the rest can take. */
function describeRound(error: KnockgateError, errors: number, patience: RetryPolicy): string {
  const { errorLimit, tryMs, describe = ({ clause }) => clause } = patience;
  const why = describe(error);
  const next = `the next in ${choosePause(error, errors) / 1_000} s`;
  const hope = error.code === "LOGIN_REFUSED" ? " (a new machine may get its keys later)" : "";
  const of = errorLimit < 0 ? `try ${errors}` : `try ${errors} of ${errorLimit + 1}`;
  const left = Array.from({ length: Math.max(0, errorLimit + 1 - errors) }, (_, index) => errors + index);
  const leftMs = left.reduce((sum, count) => sum + choosePause(error, count) + tryMs, 0);
  const most =
    errorLimit < 0
      ? "until it succeeds"
      : tryMs === 0
        ? "as long as it takes"
        : `for at most ${Math.ceil(leftMs / 1_000)} s more`;
  return `${of} failed: ${why}${hope}; ${next}, ${most}`;
}

/**
 * Starts one time limit that several waits share: the function returns the milliseconds left, at least 1. 0 means no
 * limit.
 */
export function startClock(limitMs: number): () => number {
  const startedMs = performance.now();
  return () => (limitMs === 0 ? 0 : Math.max(1, limitMs - (performance.now() - startedMs)));
}
