import { KnockgateError } from "../errors.js";
import type { HostConnection } from "../transport/host.js";
import { commandProgram, parseReply } from "./program.js";

/**
 * What became of a change: put back, nothing to put back, confirmed after all, the host could not put it back yet, or
 * not to be found out.
 */
export type UndoOutcome = "undone" | "nothing" | "confirmed" | "failed" | "unknown";

/** Long enough for a slow disk; a cut connection must still leave time before the timer runs. */
const undoTimeoutMs = 15_000;

/**
 * Has the host put back at once what a change replaced that is not confirmed. Over a connection that may be dead; never
 * throws.
 *
 * @param reason what the host notes
 */
export async function undoChange(
  connection: HostConnection,
  policy: string,
  id: string,
  reason: string,
): Promise<UndoOutcome> {
  try {
    const result = await connection.run(commandProgram(["undo", policy, id, reason]), undoTimeoutMs);
    const outcome = parseReply(result.stdout).values.get("undo");
    return result.code === 0 && isOutcome(outcome) ? outcome : "failed";
  } catch (error) {
    // The host answered, so nobody may say that it was not reached.
    return error instanceof KnockgateError && error.code === "NOT_ALLOWED" ? "failed" : "unknown";
  }
}

function isOutcome(text: string | undefined): text is UndoOutcome {
  return text === "undone" || text === "nothing" || text === "confirmed";
}
