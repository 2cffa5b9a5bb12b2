import { showOwner } from "../plan/describe-drift.js";
import { assessDrift } from "../plan/drift.js";
import type { Observed } from "../plan/observed.js";
import type { HostConnection } from "../transport/host.js";
import type { ChangeRequest } from "./change.js";
import { adoptPolicy, checkOwner } from "./owner.js";

/**
 * Leaves a host's ruleset as it is where it is just what the host shall have, and says so; `undefined` where a change
 * has to be made. What another owner confirmed becomes ours on the way, with nothing loaded.
 *
 * @throws KnockgateError `OWNED_BY_ANOTHER` where a change must not be made.
 */
export async function keepLoaded(
  connection: HostConnection,
  observed: Observed,
  request: ChangeRequest,
  { text, digest }: { readonly text: string; readonly digest: string },
): Promise<string | undefined> {
  const { policy, owner, obstacles, adopts = false } = request;
  checkOwner(observed, { owner, text, adopts });
  const drift = assessDrift(observed, { policy, digest, owner, obstacles });
  if (drift.length === 0) return "the host has this ruleset confirmed and loaded; nothing to change";
  const isOthers = drift.every(({ kind }) => kind === "another owner");
  if (!isOthers || observed.confirmed?.text !== text) return undefined;
  await adoptPolicy(connection, policy.name, owner, digest);
  return `the host has this ruleset confirmed and loaded by ${showOwner(observed.confirmed.owner)}; it is this owner's now, and its open doors stay open`;
}
