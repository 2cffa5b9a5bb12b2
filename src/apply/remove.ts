import { KnockgateError } from "../errors.js";
import type { Policy } from "../policy/policy.js";
import { redactPorts } from "../render/redact.js";
import type { World } from "./change.js";
import { commandProgram, exitCodes, nameBackend, parseReply } from "./program.js";
import { type Reached, reachHost } from "./reach.js";

const removeTimeoutMs = 60_000;

/**
 * Removes a policy from a host: its table, its files, its unit, and nothing else. A policy that another owner has
 * confirmed there since is left alone.
 *
 * @throws KnockgateError
 */
export async function removeFromHost(policy: Policy, owner: string, world: World): Promise<void> {
  const reached = await reachHost(world.routes, [policy], true, world.dialing);
  await removeFromReached(policy, owner, reached, world.log);
}

/** The same over a connection that there is, and closes it. */
export async function removeFromReached(
  policy: Policy,
  owner: string,
  { connection, route }: Reached,
  log: (line: string) => void,
): Promise<void> {
  try {
    const result = await connection.run(
      commandProgram(["remove", policy.name, owner, nameBackend(policy)]),
      removeTimeoutMs,
    );
    const removed = parseReply(result.stdout).values.get("removed");
    if (result.code !== 0 || removed === undefined) {
      const code = result.code === exitCodes.pending ? "CHANGE_PENDING" : "HOST_FAILED";
      const said = redactPorts(result.stderr.trim(), policy) || `exit code ${result.code}`;
      throw new KnockgateError(
        code,
        `policy ${policy.name} on ${route.name} was not removed: ${said}. Running it again is safe.`,
      );
    }
    log(`${policy.name} on ${route.name}: ${describeRemoved(removed)}`);
  } finally {
    connection.close();
  }
}

function describeRemoved(removed: string): string {
  switch (removed) {
    case "yes":
      return "the gate is removed, and nothing else";
    case "emptied":
      return "the gate is removed; its empty table stays until the next boot, because the host's nft can't delete what a newer nft has loaded";
    default:
      return "left alone, because it now belongs to another resource";
  }
}
