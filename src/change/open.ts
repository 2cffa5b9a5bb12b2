import { KnockgateError } from "../errors.js";
import { findGate } from "../policy/gate.js";
import { stepsToSend } from "../policy/knock.js";
import type { Policy } from "../policy/policy.js";
import type { Step } from "../policy/step.js";
import type { Connection } from "../ssh/connection.js";
import { takeBastionTurns } from "../ssh/jump-host/jump-host-turn.js";
import { findRoutes } from "../ssh/routes.js";
import { listStepsBefore, type OtherGate } from "./behind.js";

/**
 * Opens the gates that protect a host's SSH port, on each of the host's addresses, for the next connections from here,
 * or from the connection's bastion. Does nothing when no gate protects that port.
 *
 * @param behind gates of other policies on the host
 * @throws KnockgateError
 */
export async function openSshGate(
  connection: Connection,
  policy: Policy,
  behind: readonly OtherGate[],
): Promise<void> {
  const gate = findGate(policy, connection.port);
  const own = gate === undefined ? [] : stepsToSend(gate);
  const steps = [...listStepsBefore(behind, connection.port), ...own];
  if (steps.length > 0) await takeBastionTurns({ connection }, () => sendSteps(connection, steps));
}

async function sendSteps(connection: Connection, steps: readonly Step[]): Promise<void> {
  const passage = await findRoutes(connection, steps);
  try {
    const results = await Promise.allSettled(passage.routes.map((route) => route.knock(steps)));
    const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    // One knock is enough: this machine may have no route to the host's addresses of one family.
    if (failures.length < results.length) return;
    throw (
      failures[0] ?? new KnockgateError("UNREACHABLE", `${connection.host}: it has no address to knock at`)
    );
  } finally {
    passage.close();
  }
}
