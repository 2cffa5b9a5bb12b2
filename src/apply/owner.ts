import { KnockgateError } from "../errors.js";
import { showOwner } from "../plan/describe-drift.js";
import type { Observed } from "../plan/observed.js";
import { digestText } from "../policy/digest.js";
import type { HostConnection } from "../transport/host.js";
import { commandProgram, parseReply } from "./program.js";

const adoptTimeoutMs = 15_000;

/**
 * Names the owner of a policy on a host: each resource has its own, and two of the same origin can be told to be so.
 * A first change can be confirmed by the host and yet be lost for the state, when the deployer dies right then: the
 * next one knows by the origin that it is its own.
 *
 * @param origin where in which program the resource stands, if that is known
 * @param uuid a new one
 */
export function nameOwner(policy: string, origin: string | undefined, uuid: string): string {
  return origin === undefined ? `${policy}-${uuid}` : `${policy}-${digestText(origin).slice(0, 16)}-${uuid}`;
}

/**
 * Checks that a policy on a host may be changed: what another owner has confirmed there is not overwritten unasked.
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
    `the host has a policy of this name that another owner has confirmed, and it is not the one declared here; its owner is ${showOwner(confirmed.owner)} (\`pulumi stack --show-ids\` of its stack lists it). ` +
      "To take it over, set `adopt: true` (`--adopt` on the command line); else give this policy another name.",
  );
}

/** Without the policy's name, which a resource may change. */
function readOrigin(owner: string): string | undefined {
  return /^.+-([0-9a-f]{16})-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.exec(owner)?.[1];
}

/**
 * Makes what a host has confirmed and loaded another owner's, and touches nothing else: open doors stay open.
 *
 * @throws KnockgateError `HOST_FAILED` unless the host read back just that.
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
