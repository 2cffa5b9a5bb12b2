import { KnockgateError } from "../errors.js";
import { commandProgram, parseReply } from "../host/script/program.js";
import type { HostConnection } from "../ssh/host.js";

/**
 * The result of an undo. `undone`: the former ruleset is restored. `nothing`: there was nothing to undo. `confirmed`:
 * the host has confirmed the change after all. `failed`: the host could not undo it now. `unknown`: the host did not
 * answer.
 */
export type UndoOutcome = "undone" | "nothing" | "confirmed" | "failed" | "unknown";

/**
 * Long enough for a slow disk, and short enough that after a cut connection there is time left before the timer runs.
 */
const undoTimeoutMs = 15_000;

/**
 * Makes the host restore at once what an unconfirmed change replaced. The connection may be dead. Never throws.
 *
 * @param reason what the host writes down
 * @param fillMs how much longer it may take, because the host puts tokens back
 */
export async function undoChange(
  connection: HostConnection,
  policy: string,
  id: string,
  reason: string,
  fillMs: number,
): Promise<UndoOutcome> {
  try {
    const program = commandProgram(["undo", policy, id, reason]);
    const result = await connection.run(program, undoTimeoutMs + fillMs);
    const outcome = parseReply(result.stdout).values.get("undo");
    return result.code === 0 && isOutcome(outcome) ? outcome : "failed";
  } catch (error) {
    // The host answered, so the message must not say that it can't be reached.
    return error instanceof KnockgateError && error.code === "NOT_ALLOWED" ? "failed" : "unknown";
  }
}

function isOutcome(text: string | undefined): text is UndoOutcome {
  return text === "undone" || text === "nothing" || text === "confirmed";
}
