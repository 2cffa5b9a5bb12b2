import { KnockgateError } from "../errors.js";
import { showOwner } from "../host/describe-drift.js";
import type { Observed } from "../host/observed.js";
import { commandProgram, parseReply } from "../host/script/program.js";
import { digestText } from "../policy/digest.js";
import type { HostConnection } from "../ssh/host.js";

const adoptTimeoutMs = 15_000;

/**
 * Makes the name of a policy's owner on a host. Each resource has its own owner; owners with the same origin can be
 * recognized as such. The deployer may die right after the host confirmed a first change, before the state is saved:
 * the next change then recognizes the policy as its own by the origin.
 *
 * @param origin the resource's place in its program, if that is known
 * @param uuid a new one
 */
export function nameOwner(policy: string, origin: string | undefined, uuid: string): string {
  return origin === undefined ? `${policy}-${uuid}` : `${policy}-${digestText(origin).slice(0, 16)}-${uuid}`;
}

/**
 * Checks that a policy on a host may be changed: one that another owner has confirmed is overwritten only on request.
 *
 * @throws KnockgateError `OWNED_BY_ANOTHER`
 */
export function checkOwner(
  { confirmed }: Observed,
  { owner, text, adopts }: { readonly owner: string; readonly text: string; readonly adopts: boolean },
): void {
  if (confirmed === undefined || confirmed.owner === owner || confirmed.text === text || adopts) return;
  const origin = readOrigin(owner);
  if (origin !== undefined && readOrigin(confirmed.owner) === origin) return;
  throw new KnockgateError(
    "OWNED_BY_ANOTHER",
    `another owner has confirmed a policy of this name on the host, and it differs from the one declared here; its owner is ${showOwner(confirmed.owner)} (\`pulumi stack --show-ids\` of its stack lists it). ` +
      "To take it over, set `adopt: true` (`--adopt` on the command line); else give this policy another name.",
  );
}

/** Leaves out the policy's name, because a resource may change it. */
function readOrigin(owner: string): string | undefined {
  return /^.+-([0-9a-f]{16})-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.exec(owner)?.[1];
}

/**
 * Changes the owner of the ruleset that a host has confirmed and loaded. Touches nothing else: open gates stay open.
 *
 * @throws KnockgateError `HOST_FAILED` unless the host read back the new owner
 */
export async function adoptPolicy(
  connection: HostConnection,
  policy: string,
  owner: string,
  digest: string,
): Promise<void> {
  const result = await connection.run(commandProgram(["adopt", policy, owner, digest]), adoptTimeoutMs);
  if (result.code === 0 && parseReply(result.stdout).values.get("owner") === owner) return;
  const said = result.stderr.trim().replaceAll("\n", "; ") || `exit code ${result.code}`;
  throw new KnockgateError("HOST_FAILED", `the policy could not be adopted: ${said}`);
}
