/** A semaphore: a limited number of holders at a time, first come, first served. */
export interface Semaphore {
  /**
   * Resolves when a turn is free, with the function that ends the turn. Calling that again does nothing.
   *
   * @param onWait is called when no turn is free at once
   */
  acquire(onWait?: () => void): Promise<() => void>;
}

export function makeSemaphore(most: number): Semaphore {
  const waiting: (() => void)[] = [];
  let free = most;
  const pass = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  const makeEnd = (): (() => void) => {
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      pass();
    };
  };
  return {
    acquire: async (onWait) => {
      if (free > 0) {
        free -= 1;
        return makeEnd();
      }
      onWait?.();
      await new Promise<void>((resolve) => waiting.push(resolve));
      return makeEnd();
    },
  };
}
