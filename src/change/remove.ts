import { nameOnHost } from "../backends/backends.js";
import { redactPorts } from "../backends/redact.js";
import { KnockgateError } from "../errors.js";
import { describeLeftCopy } from "../host/neighbours.js";
import { commandProgram, parseReply, scriptExitCodes } from "../host/script/program.js";
import { limitFillMs } from "../host/tokens.js";
import type { Policy } from "../policy/policy.js";
import { type Reached, reachHost } from "./reach.js";
import type { ChangeContext } from "./request.js";

const removeTimeoutMs = 60_000;

/**
 * Removes a policy from a host: its table, its files, its unit, and nothing else. Leaves it alone if another owner has
 * confirmed it there since.
 *
 * @throws KnockgateError
 */
export async function removeFromHost(policy: Policy, owner: string, context: ChangeContext): Promise<void> {
  const reached = await reachHost(context.routes, [policy], true, context.dialing);
  await removeFromReached(policy, owner, reached, context.log);
}

/**
 * Removes a policy over an open connection, and closes the connection.
 *
 * @param formerPolicies policies that the host may have in its place: those with other names are removed, too
 */
export async function removeFromReached(
  policy: Policy,
  owner: string,
  reached: Reached,
  log: (line: string) => void,
  formerPolicies: readonly Policy[] = [],
): Promise<void> {
  const others = new Map(formerPolicies.map((former) => [former.name, former]));
  others.delete(policy.name);
  try {
    for (const one of [policy, ...others.values()]) {
      const lines = await removeOne(one, owner, reached, one === policy);
      for (const line of lines) log(`${one.name} on ${reached.route.name}: ${line}`);
    }
  } finally {
    reached.connection.close();
  }
}

async function removeOne(
  one: Policy,
  owner: string,
  { connection, route }: Reached,
  isMain: boolean,
): Promise<readonly string[]> {
  const result = await connection.run(
    commandProgram(["remove", one.name, owner, nameOnHost(one)]),
    removeTimeoutMs + limitFillMs(one),
  );
  const reply = parseReply(result.stdout);
  const removed = reply.values.get("removed");
  if (result.code !== 0 || removed === undefined) {
    const code = result.code === scriptExitCodes.pending ? "CHANGE_PENDING" : "HOST_FAILED";
    const said = redactPorts(result.stderr.trim(), one) || `exit code ${result.code}`;
    throw new KnockgateError(
      code,
      `policy ${one.name} on ${route.name} was not removed: ${said}. Running it again is safe.`,
    );
  }
  const saved = reply.list("saved").map((file) => `warning: ${describeLeftCopy(file, one.name)}`);
  // After a failed rename, the host has nothing under one of the two names.
  if (!isMain && removed === "nothing") return saved;
  const kept = reply.list("kept").map(describeKept);
  return [...saved, describeRemoved(removed), ...kept];
}

/** What is left must not be deleted: a token that was used could open again when the policy comes back. */
function describeKept(path: string): string {
  return `${path} stays: it says which tokens were used, and holds no secret; without it, a later policy of this name could take a used token again`;
}

function describeRemoved(removed: string): string {
  switch (removed) {
    case "another-owner":
      return "not touched, because it now belongs to another resource";
    case "emptied":
      return "the gate is removed; its empty table stays until the next boot, because the host's nft can't delete a table that a newer nft has loaded";
    default:
      return "the gate is removed, and nothing else";
  }
}
