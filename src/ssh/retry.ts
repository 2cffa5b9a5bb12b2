import { setTimeout as pause } from "node:timers/promises";
import { KnockgateError } from "../errors.js";

type ChoosePause = (error: KnockgateError, errors: number) => number | undefined;

/** How often to try again, and what to log. */
export interface RetryPolicy {
  /** Failed tries allowed before giving up. -1 means no limit. */
  readonly errorLimit: number;
  /** The longest that one try takes, for messages. 0 means no limit. */
  readonly tryMs: number;
  /**
   * Returns the milliseconds to wait after the given number of failed tries, or `undefined` if another try could not
   * help. Default: {@link pauseIfUnreachable}.
   */
  readonly choosePause?: ChoosePause | undefined;
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

/** Waits a second longer each time, up to 5. Only an unreachable host is worth another try: a refused login counts. */
export function pauseIfUnreachable(error: KnockgateError, errors: number): number | undefined {
  return error.code === "UNREACHABLE" ? Math.min(1_000 * errors, 5_000) : undefined;
}

/** As {@link pauseIfUnreachable}. A new machine may also refuse logins until cloud-init has given it its keys. */
export function pauseForNewHost(error: KnockgateError, errors: number): number | undefined {
  return error.code === "LOGIN_REFUSED" ? refusalPauseMs : pauseIfUnreachable(error, errors);
}

/** Tries until a try succeeds, `errorLimit` is reached, or another try could not help. */
export async function retry<T>(policy: RetryPolicy, attempt: () => Promise<T>): Promise<T> {
  const { errorLimit, choosePause = pauseIfUnreachable, log } = policy;
  for (let errors = 1; ; errors += 1) {
    try {
      return await attempt();
    } catch (error) {
      const isLast = errorLimit >= 0 && errors > errorLimit;
      const pauseMs = isLast || !(error instanceof KnockgateError) ? undefined : choosePause(error, errors);
      if (pauseMs === undefined) throw error;
      log?.(describeRound(error as KnockgateError, errors, { ...policy, choosePause }));
      await pause(pauseMs);
    }
  }
}

/** Says what failed, which try of how many it was, and how long the rest can take. */
function describeRound(
  error: KnockgateError,
  errors: number,
  {
    errorLimit,
    tryMs,
    choosePause,
    describe = ({ clause }) => clause,
  }: RetryPolicy & { choosePause: ChoosePause },
): string {
  const pauseAfter = (count: number) => choosePause(error, count) ?? 0;
  const why = describe(error);
  const next = `the next in ${pauseAfter(errors) / 1_000} s`;
  const hope = error.code === "LOGIN_REFUSED" ? " (a new machine may get its keys later)" : "";
  const of = errorLimit < 0 ? `try ${errors}` : `try ${errors} of ${errorLimit + 1}`;
  const left = Array.from({ length: Math.max(0, errorLimit + 1 - errors) }, (_, index) => errors + index);
  const leftMs = left.reduce((sum, count) => sum + pauseAfter(count) + tryMs, 0);
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

/** Most dials of a round fail, and must not each take the full dial timeout. */
const impatientMs = 4_000;

/**
 * Limits a dial of a round that knocks in several ways.
 *
 * @param isPatient whether the dial may take its whole time
 * @param timeoutMs the dial timeout. 0 means no limit
 */
export function limitDialMs(isPatient: boolean, timeoutMs: number): number {
  if (isPatient) return timeoutMs;
  return timeoutMs === 0 ? impatientMs : Math.min(impatientMs, timeoutMs);
}
