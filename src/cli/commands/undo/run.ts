import { type UndoOutcome, undoChange } from "../../../change/undo.js";
import { withHost } from "../../../change/with-host.js";
import { KnockgateError, unreachable } from "../../../errors.js";
import { observeHost } from "../../../host/script/observe.js";
import { limitFillMs } from "../../../host/tokens.js";
import type { CommandContext, CommandOutcome, Invocation } from "../../framework/command.js";
import { nameHost, readHostCommandInput } from "../../hosts/command-context.js";

/** Runs `knockgate undo`. */
export async function runUndo(invocation: Invocation, context: CommandContext): Promise<CommandOutcome> {
  const hostInput = await readHostCommandInput(invocation, context);
  return withHost(hostInput, context.note, async (reached) => {
    const { policy } = hostInput;
    const { pendingId } = await observeHost(reached.connection, policy);
    const outcome =
      pendingId === undefined
        ? "nothing"
        : await undoChange(
            reached.connection,
            policy.name,
            pendingId,
            "it was undone by hand",
            limitFillMs(policy),
          );
    const place = nameHost(hostInput, reached);
    return {
      exitCode: outcome === "undone" ? 0 : 1,
      text: `${place}: ${describeOutcome(outcome, place)}\n`,
      json: { policy: policy.name, outcome },
    };
  });
}

function describeOutcome(outcome: UndoOutcome, place: string): string {
  switch (outcome) {
    case "undone":
      return "the host has put back what it had before the pending change";
    case "nothing":
      return "no change is pending: the host has what it confirmed last. To go back further, apply the former policy";
    case "confirmed":
      return "the change has been confirmed meanwhile, and stays. To go back, apply the former policy";
    case "failed":
      throw new KnockgateError(
        "HOST_FAILED",
        `${place}: the host could not undo the change now; its own timer will try until it can`,
      );
    case "unknown":
      throw new KnockgateError(
        "UNREACHABLE",
        `${place}: the connection was lost: whether the change was undone is not known; the host's own timer undoes it. \`knockgate status\` tells`,
      );
    default:
      return unreachable(outcome);
  }
}
