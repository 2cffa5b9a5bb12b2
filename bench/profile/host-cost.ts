import type { LabHost } from "../../lab/host";
import type { HostConnection, Route } from "../../src/ssh/host";
import { type NftCalls, readNextPid, watchNft } from "../../test/suites/host/host-calls";
import { nameCommand } from "../../test/suites/host/routes";
import { readHostSeconds } from "../fleet/host-time";

/** What a part of a change costs the host. */
export interface HostCost extends Omit<NftCalls, "readings"> {
  /** Times that this part was measured. */
  readonly times: number;
  readonly processes: number;
  /** Milliseconds of processor time. */
  readonly ms: number;
}

/** Adds up what each command and each login of changes costs a host. */
export interface HostCosts {
  wrap(route: Route): Route;
  /** Adds what something else costs. */
  note<T>(name: string, act: () => Promise<T>): Promise<T>;
  readonly spent: ReadonlyMap<string, HostCost>;
  clear(): void;
}

export const login = "login";

/** The lab has only this host. */
export async function followHostCosts(host: LabHost): Promise<HostCosts> {
  const nft = await watchNft(host);
  const spent = new Map<string, HostCost>();
  const look = async () => {
    const { readings, listings, ...tries } = await nft.count();
    return {
      ...tries,
      listings: listings + readings,
      processes: await readNextPid(host),
      ms: readHostSeconds() * 1_000,
    };
  };
  const note = async <T>(name: string, act: () => Promise<T>): Promise<T> => {
    const before = await look();
    const result = await act();
    const after = await look();
    const sofar = spent.get(name) ?? none;
    spent.set(name, {
      times: sofar.times + 1,
      // Each look runs two processes on the host.
      processes: sofar.processes + after.processes - before.processes - 2,
      ms: sofar.ms + after.ms - before.ms,
      checks: sofar.checks + after.checks - before.checks,
      loads: sofar.loads + after.loads - before.loads,
      listings: sofar.listings + after.listings - before.listings,
    });
    return result;
  };
  const wrapConnection = (connection: HostConnection): HostConnection => ({
    run: (program, timeoutMs) => note(nameCommand(program), () => connection.run(program, timeoutMs)),
    close: () => connection.close(),
  });
  return {
    wrap: (route) => ({
      ...route,
      connect: (timeoutMs) => note(login, async () => wrapConnection(await route.connect(timeoutMs))),
    }),
    note,
    spent,
    clear: () => spent.clear(),
  };
}

const none: HostCost = { times: 0, processes: 0, ms: 0, checks: 0, loads: 0, listings: 0 };
