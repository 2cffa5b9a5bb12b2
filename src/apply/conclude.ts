import { KnockgateError } from "../errors.js";
import type { Policy } from "../policy/schema.js";
import { redactPorts } from "../render/redact.js";
import type { HostConnection } from "../transport/host.js";
import { commandProgram, parseReply } from "./program.js";

/** What became of a change: put back, nothing to put back, confirmed after all, or not to be found out. */
export type UndoOutcome = "undone" | "nothing" | "confirmed" | "unknown";

/** Long enough for a slow disk; a cut connection must still leave time before the timer runs. */
const concludeTimeoutMs = 15_000;

/**
 * Makes a loaded change the host's current and boot-time ruleset.
 *
 * @throws KnockgateError `NOT_CONFIRMED` unless the host read back just what was sent.
 */
export async function confirmChange(
  connection: HostConnection,
  policy: Policy,
  id: string,
  digest: string,
): Promise<void> {
  const result = await connection.run(commandProgram(["confirm", policy.name, id]), concludeTimeoutMs);
  const reply = parseReply(result.stdout);
  // The host refuses by itself to stage or confirm anything but what was sent; this is what it read back.
  if (result.code !== 0 || reply.values.get("digest") !== digest) {
    throw new KnockgateError("NOT_CONFIRMED", `confirm failed: ${redactPorts(result.stderr.trim(), policy)}`);
  }
}

/** Undoes a change over a connection that may be dead; never throws. */
export async function undoChange(
  connection: HostConnection,
  policy: string,
  id: string,
): Promise<UndoOutcome> {
  try {
    const program = commandProgram(["undo", policy, id, "the deployer could not prove it"]);
    const result = await connection.run(program, concludeTimeoutMs);
    const outcome = parseReply(result.stdout).values.get("undo");
    return result.code === 0 && isOutcome(outcome) ? outcome : "unknown";
  } catch {
    return "unknown";
  }
}

function isOutcome(text: string | undefined): text is UndoOutcome {
  return text === "undone" || text === "nothing" || text === "confirmed";
}
