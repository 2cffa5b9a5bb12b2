import type { HostConnection, Program, Route } from "../../src/transport/host";

/** Notes how long each part of a change took. */
export interface Phases {
  wrap(route: Route): Route;
  /** Milliseconds, in the order in which they began. */
  readonly spent: ReadonlyMap<string, number>;
}

const names: Readonly<Record<string, string>> = {
  probe: "look at the host",
  stage: "stage, with the host's own check",
  arm: "arm, with a check of the undo",
  load: "load",
  count: "count, while the silence is waited for",
  confirm: "confirm",
};

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
        const which = connections === 1 ? "first login" : "fresh login for the proof";
        return note(which, async () => wrapConnection(await route.connect(timeoutMs)));
      },
      knock: (steps) => note("knocks", () => route.knock(steps)),
      probePort: (port, timeoutMs) =>
        note("wait for the closed gate's silence", () => route.probePort(port, timeoutMs)),
    }),
  };
}

/** The last command is what a program is for. */
function nameCommand({ commands }: Program): string {
  return [...commands.matchAll(/^(?:main|exec sh \S+) (\w+) .*$/gm)].at(-1)?.[1] ?? "stage";
}
