import { setTimeout as pause } from "node:timers/promises";
import { isPending } from "./host-state";
import type { Scene } from "./scene";

export interface Watch {
  /** Begins to count: from now on the fault is there. */
  begin(): void;
  /** Resolves with the seconds in which the host was not safe. Rejects if it is still not safe after `limitSeconds`. */
  untilSafe(limitSeconds: number): Promise<number>;
  end(): void;
}

/**
 * Watches whether a change is pending, or the host is down. Looks often enough for a precision of a tenth of a second,
 * and starts no process, so that it does not slow other rows.
 */
export function watchHost(scene: Scene): Watch {
  let hasBegun = false;
  let isOver = false;
  let firstUnsafeMs: number | undefined;
  let lastUnsafeMs = 0;
  const look = (): boolean => {
    const isUnsafe = scene.isDown || isPending(scene.host);
    if (hasBegun && isUnsafe) {
      lastUnsafeMs = performance.now();
      firstUnsafeMs ??= lastUnsafeMs;
    }
    return !isUnsafe;
  };
  void (async () => {
    while (!isOver) {
      look();
      await pause(50, undefined, { ref: false });
    }
  })();
  const end = (): void => {
    isOver = true;
  };
  return {
    begin: () => {
      hasBegun = true;
      look();
    },
    untilSafe: async (limitSeconds) => {
      const until = performance.now() + limitSeconds * 1_000;
      while (!look()) {
        if (performance.now() > until) {
          throw new Error(`a change is still pending ${limitSeconds} s after \`up\` ended`);
        }
        await pause(50);
      }
      end();
      return firstUnsafeMs === undefined ? 0 : (lastUnsafeMs - firstUnsafeMs) / 1_000;
    },
    end,
  };
}
