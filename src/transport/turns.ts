/** Lets at most so many go at the same time, first come, first served. */
export interface Turns {
  /** Resolves when it is one's turn; calling what comes back ends the turn, once. */
  take(): Promise<() => void>;
}

export function makeTurns(most: number): Turns {
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
    take: async () => {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      return makeEnd();
    },
  };
}
