import { makeKnocker } from "../../change/knocker.js";
import { type ChangeTarget, purse } from "../../change/open-routes.js";
import { readClientKnock } from "../../knock/clients/client-knock.js";
import { isProtected } from "../../policy/gate.js";
import { nameLogin } from "../../ssh/name-login.js";
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
): Promise<NonNullable<ChangeTarget["openHop"]>> {
  const knockers = new Map<string, ReturnType<typeof makeKnocker>>();
  for (const hop of listHops(connection)) {
    const profile = await loadProfile(environment, hop.host);
    const gates = profile?.gates.filter((gate) => isProtected(gate, "tcp", hop.port)) ?? [];
    if (gates.length > 0) knockers.set(nameLogin(hop), makeKnocker(gates.map(readClientKnock), purse));
  }
  return (login) => knockers.get(nameLogin(login))?.next() ?? [];
}
