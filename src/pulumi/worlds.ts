import { randomUUID } from "node:crypto";
import type { World } from "../apply/change.js";
import { refuseUntouched } from "../apply/failure.js";
import type { Policy, Step } from "../policy/schema.js";
import { takeBastionTurns } from "../transport/bastion-turn.js";
import type { Connection } from "../transport/connection.js";
import { findRoutes } from "../transport/routes.js";
import { findVantage } from "../transport/vantage.js";
import type { RulesetArguments } from "./arguments.js";
import { logLine } from "./log.js";

/**
 * Opens the ways to a host for as long as they are of use, when it is their turn at the bastion.
 *
 * @param policies all whose knocks may have to be sent
 */
export function withWorld<T>(
  connection: Connection,
  policies: readonly Policy[],
  use: (world: World) => Promise<T>,
): Promise<T> {
  return takeBastionTurns({ connection }, () => openWorld(connection, policies, use));
}

/** Opens the way to another machine, too, when the gates are to be tried from there. */
export function withProvingWorld<T>(
  wanted: RulesetArguments,
  policies: readonly Policy[],
  use: (world: World) => Promise<T>,
): Promise<T> {
  return takeBastionTurns(wanted, () => openProvingWorld(wanted, policies, use));
}

async function openWorld<T>(
  connection: Connection,
  policies: readonly Policy[],
  use: (world: World) => Promise<T>,
): Promise<T> {
  const passage = await findRoutes(connection, listSteps(policies)).catch((cause: unknown) =>
    refuseUntouched(`policy ${policies[0]?.name} on ${connection.host}`, cause),
  );
  try {
    return await use({
      routes: passage.routes,
      dialing: {
        port: connection.port,
        perDialTimeoutMs: connection.perDialTimeout * 1_000,
        errorLimit: connection.dialErrorLimit,
      },
      newId: () => randomUUID(),
      log: logLine,
    });
  } finally {
    passage.close();
  }
}

async function openProvingWorld<T>(
  { connection, proveFrom, policy }: RulesetArguments,
  policies: readonly Policy[],
  use: (world: World) => Promise<T>,
): Promise<T> {
  if (proveFrom === undefined) return openWorld(connection, policies, use);
  const vantage = await findVantage(proveFrom, connection.host, listSteps([policy]), "proveFrom").catch(
    (cause: unknown) => refuseUntouched(`policy ${policy.name} on ${connection.host}`, cause),
  );
  try {
    return await openWorld(connection, policies, (world) => use({ ...world, vantage }));
  } finally {
    vantage.close();
  }
}

function listSteps(policies: readonly Policy[]): readonly Step[] {
  return policies.flatMap((policy) => policy.gates.flatMap((gate) => gate.knock.steps));
}
