import { setTimeout as pause } from "node:timers/promises";
import { KnockgateError } from "../errors.js";

/** How often somebody tries again, and who is told of it. */
export interface Patience {
  /** How many errors are forgiven, so that there is one try more; -1: all are. */
  readonly errorLimit: number;
  /** How long one try takes at most; 0: as long as it takes. */
  readonly tryMs: number;
  /** Whether a login that was refused is worth another try: see {@link refusalPauseMs}. Default: false. */
  readonly forgivesRefusal?: boolean | undefined;
  /** Is told of each try that failed and is followed by another. Default: nobody is. */
  readonly log?: ((line: string) => void) | undefined;
  /** Says what was tried. Default: the error's own words. */
  readonly describe?: (error: KnockgateError) => string;
}

/**
 * sshd refuses a source for a while that has failed too often: 5 s of penalty for each failed login, from 15 s on
 * (PerSourcePenalties in sshd_config(5)). A pause beyond those 5 s lets none add up.
 */
const refusalPauseMs = 6_000;

/**
 * Tries until it comes about, as `dialErrorLimit` says. Only `UNREACHABLE` is worth another try everywhere: what is refused
 * once is refused again, and counts at the other side. A machine that is new may get its keys some moments after its sshd
 * answers, as cloud-init does it: who knows it for one forgives a refused login, too.
 */
export async function dialPatiently<T>(patience: Patience, dial: () => Promise<T>): Promise<T> {
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

function isWorthAnother(error: unknown, { forgivesRefusal = false }: Patience): error is KnockgateError {
  if (!(error instanceof KnockgateError)) return false;
  return error.code === "UNREACHABLE" || (forgivesRefusal && error.code === "LOGIN_REFUSED");
}

function choosePause(error: KnockgateError, errors: number): number {
  return error.code === "LOGIN_REFUSED" ? refusalPauseMs : Math.min(1_000 * errors, 5_000);
}

/** What was tried, which try of how many that was, and how long is waited at most. */
function describeRound(error: KnockgateError, errors: number, patience: Patience): string {
  const { errorLimit, tryMs, describe = ({ summary }) => summary } = patience;
  const why = describe(error).replace(/[.]$/, "");
  const next = `the next in ${choosePause(error, errors) / 1_000} s`;
  const hope = error.code === "LOGIN_REFUSED" ? " (a new machine may get its keys later)" : "";
  const of = errorLimit < 0 ? `try ${errors}` : `try ${errors} of ${errorLimit + 1}`;
  const left = Array.from({ length: Math.max(0, errorLimit + 1 - errors) }, (_, index) => errors + index);
  const leftMs = left.reduce((sum, count) => sum + choosePause(error, count) + tryMs, 0);
  const most =
    errorLimit < 0
      ? "until it comes about"
      : tryMs === 0
        ? "as long as it takes"
        : `for at most ${Math.ceil(leftMs / 1_000)} s more`;
  return `${of} failed: ${why}${hope}; ${next}, ${most}`;
}

/** Shares one limit out among several waits; 0 stands for no limit. */
export function startClock(limitMs: number): () => number {
  const startedMs = performance.now();
  return () => (limitMs === 0 ? 0 : Math.max(1, limitMs - (performance.now() - startedMs)));
}
