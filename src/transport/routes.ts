import { lookup } from "node:dns/promises";
import { KnockgateError } from "../errors.js";
import type { Connection } from "./connection.js";
import type { Route } from "./host.js";
import { findExpectedKeys } from "./host-key.js";
import { probePort, sendKnock } from "./knock.js";
import { connectSsh } from "./ssh.js";

/**
 * Finds the ways to a host: one for each address of its name, in the resolver's order. A knock opens a door for one
 * source address, so knock and connection take the same way.
 *
 * @throws KnockgateError `UNREACHABLE` when the name has no address; `HOST_KEY_UNKNOWN`.
 */
export async function findRoutes(connection: Connection): Promise<readonly Route[]> {
  const expected = await findExpectedKeys(connection);
  const found = await lookup(connection.host, { all: true, verbatim: true }).catch((cause: unknown) => {
    throw new KnockgateError("UNREACHABLE", `${connection.host}: its name has no address`, { cause });
  });
  return found.map(({ address }) => ({
    name:
      address === connection.host
        ? `${address}:${connection.port}`
        : `${connection.host}:${connection.port} (${address})`,
    connect: (timeoutMs) => connectSsh(connection, address, expected, timeoutMs),
    knock: (steps) =>
      sendKnock(address, steps).catch((cause: unknown) => {
        const why = cause instanceof Error ? cause.message : String(cause);
        const message = `${connection.host} (${address}): the knock could not be sent: ${why}`;
        throw new KnockgateError("UNREACHABLE", message, { cause });
      }),
    probePort: (port, timeoutMs) => probePort(address, port, timeoutMs),
  }));
}
