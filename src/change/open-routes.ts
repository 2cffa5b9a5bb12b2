import { randomUUID } from "node:crypto";
import type { KnockStep } from "../knock/packet.js";
import type { Policy } from "../policy/policy.js";
import type { Connection } from "../ssh/connection.js";
import type { HopDialing } from "../ssh/jump-host/dial-through.js";
import { takeBastionTurns } from "../ssh/jump-host/jump-host-turn.js";
import { findProber } from "../ssh/prober.js";
import { type ResolvedConnection, resolveConnection } from "../ssh/resolve.js";
import { findRoutes } from "../ssh/routes.js";
import { listKnocksBefore, type OtherGate } from "./behind.js";
import { refuseUntouched } from "./failure.js";
import { findKnock, listSamplePackets } from "./knocker.js";
import { purse } from "./process-purse.js";
import type { ChangeContext } from "./request.js";

/** Where to apply a policy, and where to prove it from. */
export interface ChangeTarget {
  readonly connection: Connection;
  /** Another machine to try the gates from. Default: this machine. */
  readonly proveFrom?: Connection | undefined;
  readonly policy: Policy;
  /** Gates of other policies that SSH may be behind. Default: none. */
  readonly behind?: readonly OtherGate[];
  /** Opens machines on the way that are themselves gated. Default: none is. */
  readonly openHop?: OpenHop | undefined;
}

type OpenHop = HopDialing["openHop"];

/**
 * Waits for a turn at the bastion, and opens the routes to a host while `use` runs.
 *
 * @param policies all policies whose knocks may have to be sent
 * @param behind gates of other policies that SSH may be behind
 * @param openHop opens machines on the way that are themselves gated
 */
export async function withRoutes<T>(
  connection: Connection,
  policies: readonly Policy[],
  log: ChangeContext["log"],
  use: (context: ChangeContext) => Promise<T>,
  behind: readonly OtherGate[] = [],
  openHop?: OpenHop,
): Promise<T> {
  const resolved = await resolveOrRefuse(connection, "connection", policies[0], connection.host);
  const act = () => openWorld({ connection: resolved, behind, openHop }, policies, log, use);
  return takeBastionTurns({ connection: resolved }, act, tellOf(resolved, policies, log));
}

/** Does the same, and also logs in to the machine that the gates are tried from, if there is one. */
export async function withProvingRoutes<T>(
  wanted: ChangeTarget,
  policies: readonly Policy[],
  log: ChangeContext["log"],
  use: (context: ChangeContext) => Promise<T>,
): Promise<T> {
  const { connection, proveFrom, policy } = wanted;
  const resolve = (one: Connection, field: string) => resolveOrRefuse(one, field, policy, connection.host);
  const resolved: ResolvedTarget = {
    ...wanted,
    connection: await resolve(connection, "connection"),
    proveFrom: proveFrom && (await resolve(proveFrom, "proveFrom")),
  };
  const act = () => openProvingWorld(resolved, policies, log, use);
  return takeBastionTurns(resolved, act, tellOf(resolved.connection, policies, log));
}

interface ResolvedTarget extends Omit<ChangeTarget, "connection" | "proveFrom"> {
  readonly connection: ResolvedConnection;
  readonly proveFrom: ResolvedConnection | undefined;
}

function resolveOrRefuse(
  connection: Connection,
  field: string,
  policy: Policy | undefined,
  host: string,
): Promise<ResolvedConnection> {
  return resolveConnection(connection, field).catch((cause: unknown) =>
    refuseUntouched(`policy ${policy?.name} on ${host}`, cause),
  );
}

interface World {
  readonly connection: ResolvedConnection;
  readonly behind: readonly OtherGate[];
  readonly openHop: OpenHop;
}

async function openWorld<T>(
  { connection, behind, openHop }: World,
  policies: readonly Policy[],
  log: ChangeContext["log"],
  use: (context: ChangeContext) => Promise<T>,
): Promise<T> {
  const tell = tellOf(connection, policies, log);
  const steps = [
    ...listKnocksBefore(behind, connection.port).flatMap(listSamplePackets),
    ...listSamples(policies, connection.host),
  ];
  const passage = await findRoutes(connection, steps, { log: tell, openHop }).catch((cause: unknown) =>
    refuseUntouched(`policy ${policies[0]?.name} on ${connection.host}`, cause),
  );
  try {
    return await use({
      routes: passage.routes,
      cutOff: passage.cutOff ?? [],
      dialing: {
        host: connection.host,
        port: connection.port,
        purse,
        perDialTimeoutMs: connection.perDialTimeout * 1_000,
        errorLimit: connection.dialErrorLimit,
        behind,
        log: tell,
      },
      now: Date.now,
      newId: () => randomUUID(),
      log,
    });
  } finally {
    passage.close();
  }
}

async function openProvingWorld<T>(
  { connection, proveFrom, policy, behind = [], openHop }: ResolvedTarget,
  policies: readonly Policy[],
  log: ChangeContext["log"],
  use: (context: ChangeContext) => Promise<T>,
): Promise<T> {
  const world = { connection, behind, openHop };
  if (proveFrom === undefined) return openWorld(world, policies, log, use);
  const steps = [
    ...behind.flatMap(({ knock }) => listSamplePackets(knock)),
    ...listSamples([policy], connection.host),
  ];
  const tell = tellOf(connection, [policy], log);
  const dialing = { log: tell, openHop };
  const prober = await findProber(proveFrom, connection.host, steps, "proveFrom", dialing).catch(
    (cause: unknown) => refuseUntouched(`policy ${policy.name} on ${connection.host}`, cause),
  );
  try {
    return await openWorld(world, policies, log, (context) => use({ ...context, prober }));
  } finally {
    prober.close();
  }
}

/** Prefixes each line with the policy and the host, while no route is known yet. */
function tellOf(
  { host, port }: ResolvedConnection,
  [policy]: readonly Policy[],
  log: ChangeContext["log"],
): (line: string) => void {
  const subject = policy === undefined ? "" : `${policy.name} on `;
  return (line) => log(`${subject}${host}:${port}: 1/6 connect: ${line}`);
}

function listSamples(policies: readonly Policy[], host: string): readonly KnockStep[] {
  return policies.flatMap((policy) =>
    policy.gates.flatMap((gate) => listSamplePackets(findKnock(policy, gate, host))),
  );
}
