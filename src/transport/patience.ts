import { setTimeout as pause } from "node:timers/promises";
import { KnockgateError } from "../errors.js";

/**
 * Dials until it comes about, as `dialErrorLimit` says: that many errors are forgiven (so there is one dial more), -1
 * forgives all. Only `UNREACHABLE` is worth another dial: what is refused once is refused again, and counts at the
 * other side.
 */
export async function dialPatiently<T>(errorLimit: number, dial: () => Promise<T>): Promise<T> {
  for (let errors = 1; ; errors += 1) {
    try {
      return await dial();
    } catch (error) {
      const isWorthAnother = error instanceof KnockgateError && error.code === "UNREACHABLE";
      if (!isWorthAnother || (errorLimit >= 0 && errors > errorLimit)) throw error;
      await pause(Math.min(1_000 * errors, 5_000));
    }
  }
}

/** Shares one limit out among several waits; 0 stands for no limit. */
export function startClock(limitMs: number): () => number {
  const startedMs = performance.now();
  return () => (limitMs === 0 ? 0 : Math.max(1, limitMs - (performance.now() - startedMs)));
}
