import { showOwner } from "../host/describe-drift.js";
import { assessDrift } from "../host/drift.js";
import type { Observed } from "../host/observed.js";
import type { HostConnection } from "../ssh/host.js";
import { adoptPolicy, checkOwner } from "./owner.js";
import type { ChangeRequest } from "./request.js";

/** What the host should have. */
interface Wanted {
  readonly text: string;
  readonly digest: string;
  /** The name by which the deployer reaches it. */
  readonly host: string;
}

/**
 * Keeps a ruleset that is already what the host should have, and returns a line that says so. `undefined` when a change
 * is needed. If another owner has confirmed the same ruleset, it changes the owner to ours, and loads nothing.
 *
 * @throws KnockgateError `OWNED_BY_ANOTHER` when this owner must not change it; `HOST_FAILED` when the owner could not
 *   be changed
 */
export async function keepLoaded(
  connection: HostConnection,
  observed: Observed,
  request: ChangeRequest,
  { text, digest, host }: Wanted,
): Promise<string | undefined> {
  const { policy, owner, obstacles, adopts = false } = request;
  checkOwner(observed, { owner, text, adopts });
  const drift = assessDrift(observed, { policy, host, digest, owner, obstacles });
  if (drift.length === 0) return "the host has this ruleset confirmed and loaded; nothing to change";
  const isOthers = drift.every(({ kind }) => kind === "another owner");
  if (!isOthers || observed.confirmed?.text !== text) return undefined;
  await adoptPolicy(connection, policy.name, owner, digest);
  return `the host has this ruleset confirmed and loaded by ${showOwner(observed.confirmed.owner)}; it now belongs to the owner of this change, and its open doors stay open`;
}
