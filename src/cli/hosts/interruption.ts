const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs an act. If a signal ends the process meanwhile, first says what is left.
 *
 * @param tell prints that
 */
export async function sayWhenInterrupted<T>(tell: () => void, act: () => Promise<T>): Promise<T> {
  const listen = (): void => {
    for (const signal of signals) process.on(signal, end);
  };
  const leave = (): void => {
    for (const signal of signals) process.off(signal, end);
  };
  function end(signal: NodeJS.Signals): void {
    leave();
    tell();
    process.kill(process.pid, signal);
  }
  listen();
  try {
    return await act();
  } finally {
    leave();
  }
}
