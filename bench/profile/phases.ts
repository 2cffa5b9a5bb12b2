import type { HostConnection, Route } from "../../src/ssh/host";
import { nameCommand } from "../../test/suites/host/routes";

/** Notes how long each part of a change took. */
export interface Phases {
  wrap(route: Route): Route;
  /** Milliseconds, in the order in which they began. */
  readonly spent: ReadonlyMap<string, number>;
}

export const phaseNames = {
  firstLogin: "first login",
  freshLogin: "fresh login, for the proof",
  knocks: "knocks",
  silence: "wait for the closed gate's silence",
  probe: "look at the host",
  stage: "stage: send, let the host's nft try it and its undo, start the timer",
  arm: "arm: note that the timer may undo",
  load: "load",
  count: "count the dropped packets, while the silence is waited for",
  confirm: "confirm: read back, make it the boot's, stop the timer",
} as const;
/** Phases that are one command, by the command. */
const names: Readonly<Record<string, string>> = phaseNames;

/** Follows one change through its route. */
export function followPhases(): Phases {
  const spent = new Map<string, number>();
  let connections = 0;
  const note = async <T>(name: string, act: () => Promise<T>): Promise<T> => {
    const startedMs = performance.now();
    try {
      return await act();
    } finally {
      spent.set(name, (spent.get(name) ?? 0) + performance.now() - startedMs);
    }
  };
  const wrapConnection = (connection: HostConnection): HostConnection => ({
    run: (program, timeoutMs) => {
      const command = nameCommand(program);
      return note(names[command] ?? command, () => connection.run(program, timeoutMs));
    },
    close: () => connection.close(),
  });
  return {
    spent,
    wrap: (route) => ({
      ...route,
      connect: (timeoutMs) => {
        connections += 1;
        const which = connections === 1 ? phaseNames.firstLogin : phaseNames.freshLogin;
        return note(which, async () => wrapConnection(await route.connect(timeoutMs)));
      },
      knock: (steps) => note(phaseNames.knocks, () => route.knock(steps)),
      probePort: (port, timeoutMs) => note(phaseNames.silence, () => route.probePort(port, timeoutMs)),
    }),
  };
}
