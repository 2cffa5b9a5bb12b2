import { KnockgateError } from "../errors.js";
import type { ClientKnock } from "../knock/clients/client-knock.js";
import { findGate } from "../policy/gate.js";
import type { Policy } from "../policy/policy.js";
import type { Connection } from "../ssh/connection.js";
import type { Route } from "../ssh/host.js";
import type { HopDialing } from "../ssh/jump-host/dial-through.js";
import { takeBastionTurns } from "../ssh/jump-host/jump-host-turn.js";
import { type ResolvedConnection, resolveConnection } from "../ssh/resolve.js";
import { findRoutes } from "../ssh/routes.js";
import { listKnocksBefore, type OtherGate } from "./behind.js";
import { findKnock, listSamplePackets, makeKnocker } from "./knocker.js";
import { purse } from "./process-purse.js";
import type { Purse } from "./purse.js";

/** How long the SSH port has to answer after a token. Another try takes another token. */
const answerMs = 1_500;

/**
 * Opens the gates that protect a host's SSH port, on each of the host's addresses, for the next connections from here,
 * or from the connection's bastion. Does nothing when no gate protects that port.
 *
 * @param behind gates of other policies on the host
 * @param openHop opens machines on the way that are themselves gated
 * @throws KnockgateError
 */
export async function openSshGate(
  connection: Connection,
  policy: Policy,
  behind: readonly OtherGate[],
  openHop?: HopDialing["openHop"],
): Promise<void> {
  const resolved = await resolveConnection(connection, "connection");
  const { host, port } = resolved;
  const gate = findGate(policy, port);
  const own = gate === undefined ? [] : [findKnock(policy, gate, host)];
  const knocks = [...listKnocksBefore(behind, port), ...own];
  if (knocks.length === 0) return;
  const opening: SshOpening = { knocks, port, isSingle: gate?.singleConnection ?? false };
  await takeBastionTurns({ connection: resolved }, () => openRoutes(resolved, opening, openHop));
}

/** What opens a port. */
export interface SshOpening {
  readonly knocks: readonly ClientKnock[];
  readonly port: number;
  /** Whether each opening lets in one connection. */
  readonly isSingle: boolean;
}

async function openRoutes(
  connection: ResolvedConnection,
  opening: SshOpening,
  openHop: HopDialing["openHop"],
): Promise<void> {
  const passage = await findRoutes(connection, opening.knocks.flatMap(listSamplePackets), { openHop });
  try {
    const results = await Promise.allSettled(passage.routes.map((route) => openRoute(route, opening, purse)));
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

/**
 * Knocks on one route. A token may have been used by another process of the same user, so the port is asked whether it
 * opened. When it never answers, whoever dials it next reports that.
 */
export async function openRoute(
  route: Pick<Route, "knock" | "probePort">,
  { knocks, port, isSingle }: SshOpening,
  tokens: Purse,
): Promise<void> {
  const knocker = makeKnocker(knocks, tokens);
  for (let tries = 1; tries <= knocker.tries; tries += 1) {
    await route.knock(knocker.next());
    if (knocker.tries === 1) return;
    if ((await route.probePort(port, answerMs)) === "silent") continue;
    knocker.succeed();
    // The question was the one connection that the door lets in.
    if (isSingle) await route.knock(knocker.next());
    return;
  }
}
