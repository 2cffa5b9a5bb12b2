import { KnockgateError } from "../errors.js";
import { findGate } from "../policy/gate.js";
import type { Policy, Step } from "../policy/policy.js";
import { takeBastionTurns } from "../transport/bastion-turn.js";
import type { Connection } from "../transport/connection.js";
import { findRoutes } from "../transport/routes.js";

/**
 * Opens the gate that a host's SSH port is behind, for whoever connects from here next, on each of the host's
 * addresses. Does nothing where no gate protects that port.
 *
 * @throws KnockgateError
 */
export async function openSshGate(connection: Connection, policy: Policy): Promise<void> {
  const gate = findGate(policy, connection.port);
  if (gate !== undefined)
    await takeBastionTurns({ connection }, () => sendSteps(connection, gate.knock.steps));
}

async function sendSteps(connection: Connection, steps: readonly Step[]): Promise<void> {
  const passage = await findRoutes(connection, steps);
  try {
    const results = await Promise.allSettled(passage.routes.map((route) => route.knock(steps)));
    const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    // An address of a family that this machine has no way to is no reason to fail.
    if (failures.length < results.length) return;
    throw (
      failures[0] ?? new KnockgateError("UNREACHABLE", `${connection.host}: it has no address to knock at`)
    );
  } finally {
    passage.close();
  }
}
