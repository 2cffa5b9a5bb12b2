import { randomUUID } from "node:crypto";
import { KnockgateError } from "../errors.js";
import { formatFindings } from "../policy/finding.js";
import { findUndeployable, stepsToSend } from "../policy/knock.js";
import type { Policy } from "../policy/policy.js";
import type { Step } from "../policy/step.js";
import type { Connection } from "../ssh/connection.js";
import { takeBastionTurns } from "../ssh/jump-host/jump-host-turn.js";
import { findProber } from "../ssh/prober.js";
import { findRoutes } from "../ssh/routes.js";
import { listStepsBefore, type OtherGate } from "./behind.js";
import { refuseUntouched } from "./failure.js";
import type { ChangeContext } from "./request.js";

/** Where to apply a policy, and where to prove it from. */
export interface ChangeTarget {
  readonly connection: Connection;
  /** Another machine to try the gates from. Default: this machine. */
  readonly proveFrom?: Connection | undefined;
  readonly policy: Policy;
  /** Gates of other policies that SSH may be behind. Default: none. */
  readonly behind?: readonly OtherGate[];
}

/**
 * Waits for a turn at the bastion, and opens the routes to a host while `use` runs.
 *
 * @param policies all policies whose knocks may have to be sent
 * @param behind gates of other policies that SSH may be behind
 */
export function withRoutes<T>(
  connection: Connection,
  policies: readonly Policy[],
  log: ChangeContext["log"],
  use: (context: ChangeContext) => Promise<T>,
  behind: readonly OtherGate[] = [],
): Promise<T> {
  refuseUndeployable(policies);
  const tell = tellOf(connection, policies, log);
  return takeBastionTurns({ connection }, () => openWorld(connection, behind, policies, log, use), tell);
}

/** Does the same, and also logs in to the machine that the gates are tried from, if there is one. */
export function withProvingRoutes<T>(
  wanted: ChangeTarget,
  policies: readonly Policy[],
  log: ChangeContext["log"],
  use: (context: ChangeContext) => Promise<T>,
): Promise<T> {
  refuseUndeployable(policies);
  const tell = tellOf(wanted.connection, policies, log);
  return takeBastionTurns(wanted, () => openProvingWorld(wanted, policies, log, use), tell);
}

/** Stops before anything is contacted. */
function refuseUndeployable(policies: readonly Policy[]): void {
  const findings = policies.flatMap(findUndeployable);
  if (findings.length === 0) return;
  const message = `the policy can't be brought to a host; nothing was contacted:\n${formatFindings(findings)}`;
  throw new KnockgateError("POLICY_INVALID", message);
}

async function openWorld<T>(
  connection: Connection,
  behind: readonly OtherGate[],
  policies: readonly Policy[],
  log: ChangeContext["log"],
  use: (context: ChangeContext) => Promise<T>,
): Promise<T> {
  const tell = tellOf(connection, policies, log);
  const steps = [...listStepsBefore(behind, connection.port), ...listSteps(policies)];
  const passage = await findRoutes(connection, steps, tell).catch((cause: unknown) =>
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
        behind,
        log: tell,
      },
      newId: () => randomUUID(),
      log,
    });
  } finally {
    passage.close();
  }
}

async function openProvingWorld<T>(
  { connection, proveFrom, policy, behind = [] }: ChangeTarget,
  policies: readonly Policy[],
  log: ChangeContext["log"],
  use: (context: ChangeContext) => Promise<T>,
): Promise<T> {
  if (proveFrom === undefined) return openWorld(connection, behind, policies, log, use);
  const steps = [...behind.flatMap((other) => other.steps), ...listSteps([policy])];
  const tell = tellOf(connection, [policy], log);
  const prober = await findProber(proveFrom, connection.host, steps, "proveFrom", tell).catch(
    (cause: unknown) => refuseUntouched(`policy ${policy.name} on ${connection.host}`, cause),
  );
  try {
    return await openWorld(connection, behind, policies, log, (context) => use({ ...context, prober }));
  } finally {
    prober.close();
  }
}

/** Prefixes each line with the policy and the host, while no route is known yet. */
function tellOf(
  { host, port }: Connection,
  [policy]: readonly Policy[],
  log: ChangeContext["log"],
): (line: string) => void {
  const subject = policy === undefined ? "" : `${policy.name} on `;
  return (line) => log(`${subject}${host}:${port}: 1/6 connect: ${line}`);
}

function listSteps(policies: readonly Policy[]): readonly Step[] {
  return policies.flatMap((policy) => policy.gates.flatMap(stepsToSend));
}
