import { randomUUID } from "node:crypto";
import type { Policy, Step } from "../policy/schema.js";
import { takeBastionTurns } from "../transport/bastion-turn.js";
import type { Connection } from "../transport/connection.js";
import { findRoutes } from "../transport/routes.js";
import { findVantage } from "../transport/vantage.js";
import type { World } from "./change.js";
import { refuseUntouched } from "./failure.js";

/** Where a policy is to be brought, and proven from. */
export interface Destination {
  readonly connection: Connection;
  /** Another machine that the gates are tried from. */
  readonly proveFrom?: Connection | undefined;
  readonly policy: Policy;
}

/**
 * Opens the ways to a host for as long as they are of use, when it is their turn at the bastion.
 *
 * @param policies all whose knocks may have to be sent
 */
export function withWorld<T>(
  connection: Connection,
  policies: readonly Policy[],
  log: World["log"],
  use: (world: World) => Promise<T>,
): Promise<T> {
  return takeBastionTurns({ connection }, () => openWorld(connection, policies, log, use));
}

/** Opens the way to another machine, too, when the gates are to be tried from there. */
export function withProvingWorld<T>(
  wanted: Destination,
  policies: readonly Policy[],
  log: World["log"],
  use: (world: World) => Promise<T>,
): Promise<T> {
  return takeBastionTurns(wanted, () => openProvingWorld(wanted, policies, log, use));
}

async function openWorld<T>(
  connection: Connection,
  policies: readonly Policy[],
  log: World["log"],
  use: (world: World) => Promise<T>,
): Promise<T> {
  const passage = await findRoutes(connection, listSteps(policies)).catch((cause: unknown) =>
    refuseUntouched(`policy ${policies[0]?.name} on ${connection.host}`, cause),
  );
  try {
    return await use({
      routes: passage.routes,
      cutOff: passage.cutOff ?? [],
      dialing: {
        port: connection.port,
        perDialTimeoutMs: connection.perDialTimeout * 1_000,
        errorLimit: connection.dialErrorLimit,
      },
      newId: () => randomUUID(),
      log,
    });
  } finally {
    passage.close();
  }
}

async function openProvingWorld<T>(
  { connection, proveFrom, policy }: Destination,
  policies: readonly Policy[],
  log: World["log"],
  use: (world: World) => Promise<T>,
): Promise<T> {
  if (proveFrom === undefined) return openWorld(connection, policies, log, use);
  const vantage = await findVantage(proveFrom, connection.host, listSteps([policy]), "proveFrom").catch(
    (cause: unknown) => refuseUntouched(`policy ${policy.name} on ${connection.host}`, cause),
  );
  try {
    return await openWorld(connection, policies, log, (world) => use({ ...world, vantage }));
  } finally {
    vantage.close();
  }
}

function listSteps(policies: readonly Policy[]): readonly Step[] {
  return policies.flatMap((policy) => policy.gates.flatMap((gate) => gate.knock.steps));
}
