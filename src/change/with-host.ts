import type { Policy } from "../policy/policy.js";
import type { Connection } from "../ssh/connection.js";
import type { OtherGate } from "./behind.js";
import { type ChangeTarget, withRoutes } from "./open-routes.js";
import { type Reached, reachHost } from "./reach.js";
import type { ChangeContext } from "./request.js";

/** How to reach a host, and what is known about its gates. */
interface Access {
  readonly connection: Connection;
  /** Policies that may gate it, likeliest first. */
  readonly gatedBy: readonly Policy[];
  /** Whether to knock before the first dial: see `reachHost`. Default: true. */
  readonly isGated?: boolean;
  /** Gates of other policies that SSH may be behind. Default: none. */
  readonly behind?: readonly OtherGate[];
  /** Opens machines on the way that are themselves gated. Default: none is. */
  readonly openHop?: ChangeTarget["openHop"];
}

/** Logs in to a host while `use` runs. */
export function withHost<T>(
  { connection, gatedBy, isGated = true, behind = [], openHop }: Access,
  log: ChangeContext["log"],
  use: (reached: Reached) => Promise<T>,
): Promise<T> {
  const look = async ({ routes, dialing }: ChangeContext): Promise<T> => {
    const reached = await reachHost(routes, gatedBy, isGated, dialing);
    try {
      return await use(reached);
    } finally {
      reached.connection.close();
    }
  };
  return withRoutes(connection, gatedBy, log, look, behind, openHop);
}
