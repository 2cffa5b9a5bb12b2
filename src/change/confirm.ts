import { redactPorts } from "../backends/redact.js";
import { KnockgateError } from "../errors.js";
import { confirmProgram, parseReply } from "../host/script/program.js";
import type { Policy } from "../policy/policy.js";
import type { HostConnection } from "../ssh/host.js";

/**
 * Makes a loaded change the host's current and boot-time ruleset.
 *
 * @throws KnockgateError `NOT_CONFIRMED` unless the host read back exactly what was sent
 */
export async function confirmChange(
  connection: HostConnection,
  policy: Policy,
  id: string,
  digest: string,
  limitMs: number,
): Promise<void> {
  const result = await connection.run(confirmProgram(policy.name, id), limitMs);
  if (result.code === 0 && parseReply(result.stdout).values.get("digest") === digest) return;
  const said =
    redactPorts(result.stderr.trim().replaceAll("\n", "; "), policy) ||
    "the host did not read back what was sent";
  throw new KnockgateError("NOT_CONFIRMED", said);
}
