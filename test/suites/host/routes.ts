import { KnockgateError } from "../../../src/errors";
import type { HostConnection, Program, Route } from "../../../src/ssh/host";

export interface Interference {
  /** What happens on the host or in the network before a command is sent. */
  readonly before?: Readonly<Record<string, () => Promise<unknown>>>;
  /** What happens after the command ran and before its answer is passed on. */
  readonly after?: Readonly<Record<string, () => Promise<unknown>>>;
  /** Commands that run, but whose answer is lost. */
  readonly loses?: readonly string[];
}

/** Wraps a real route, so that something happens exactly at a step of the change. */
export function interfere({ before = {}, after = {}, loses = [] }: Interference): (route: Route) => Route {
  const wrap = (connection: HostConnection): HostConnection => ({
    close: () => connection.close(),
    run: async (program, timeoutMs) => {
      const command = nameCommand(program);
      await before[command]?.();
      const result = await connection.run(program, timeoutMs);
      await after[command]?.();
      if (loses.includes(command)) {
        connection.close();
        throw new KnockgateError("UNREACHABLE", "the connection was lost while a command ran");
      }
      return result;
    },
  });
  return (route) => ({ ...route, connect: async (timeoutMs) => wrap(await route.connect(timeoutMs)) });
}

/** `probe`, `stage`, `arm`, `load`, `confirm`, `undo` or `remove`. */
export function nameCommand({ commands }: Program): string {
  const calls = [...commands.matchAll(/^(?:(?:main|set --) (\w+)|stage_end) .*$/gm)];
  return calls.at(-1)?.[1] ?? "stage";
}
