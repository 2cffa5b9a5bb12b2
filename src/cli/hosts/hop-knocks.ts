import { type OtherGate, readOtherGate } from "../../change/behind.js";
import { openHopsBy } from "../../change/hop-knocks.js";
import type { ChangeTarget } from "../../change/open-routes.js";
import { purse } from "../../change/process-purse.js";
import { listHops, type ResolvedConnection } from "../../ssh/resolve.js";
import { type Environment, loadProfile } from "../profiles/profile-store.js";

/**
 * Finds what opens the machines on the way to a host: the gates before SSH of the profiles that have their names.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID` when such a profile can't be read
 */
export async function findHopKnocks(
  connection: ResolvedConnection,
  environment: Environment,
): Promise<ChangeTarget["openHop"]> {
  const gates = new Map<string, readonly OtherGate[]>();
  for (const { host } of listHops(connection)) {
    const profile = await loadProfile(environment, host);
    gates.set(host, profile?.gates.map(readOtherGate) ?? []);
  }
  return openHopsBy(({ host }) => gates.get(host) ?? [], purse);
}
