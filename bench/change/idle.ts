import type { HostConnection, Route } from "../../src/ssh/host";

/** Measures how long a change did nothing but wait for a silence. */
export interface IdleClock {
  wrap(route: Route): Route;
  readonly idleMs: number;
}

/** Starts a clock that runs while a port is probed and no knock, login or command is under way. */
export function startIdleClock(): IdleClock {
  let [probes, works, idleMs, sinceMs] = [0, 0, 0, 0];
  const isIdle = () => probes > 0 && works === 0;
  const change = (act: () => void) => {
    const nowMs = performance.now();
    if (isIdle()) idleMs += nowMs - sinceMs;
    act();
    sinceMs = nowMs;
  };
  const during = async <T>(by: (step: 1 | -1) => void, act: () => Promise<T>): Promise<T> => {
    change(() => by(1));
    try {
      return await act();
    } finally {
      change(() => by(-1));
    }
  };
  const work = <T>(act: () => Promise<T>) => during((step) => (works += step), act);
  const probe = <T>(act: () => Promise<T>) => during((step) => (probes += step), act);
  const wrapConnection = (connection: HostConnection): HostConnection => ({
    run: (program, timeoutMs) => work(() => connection.run(program, timeoutMs)),
    close: () => connection.close(),
  });
  return {
    wrap: (route) => ({
      ...route,
      connect: async (timeoutMs) => wrapConnection(await work(() => route.connect(timeoutMs))),
      knock: (steps) => work(() => route.knock(steps)),
      probePort: (port, timeoutMs) => probe(() => route.probePort(port, timeoutMs)),
    }),
    get idleMs() {
      return idleMs;
    },
  };
}
