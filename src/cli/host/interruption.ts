const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Says what is left when a signal ends the process during an act; then the signal ends it.
 *
 * @param tell says it
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
