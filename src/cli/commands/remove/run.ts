import { removeFromReached } from "../../../change/remove.js";
import { withHost } from "../../../change/with-host.js";
import { KnockgateError } from "../../../errors.js";
import { showOwner } from "../../../host/describe-drift.js";
import { observeHost } from "../../../host/script/observe.js";
import type { CommandContext, CommandOutcome, Invocation } from "../../framework/command.js";
import { commandLineOwner, nameHost, readHostCommandInput } from "../../hosts/command-context.js";

/** Runs `knockgate remove`. */
export async function runRemove(invocation: Invocation, context: CommandContext): Promise<CommandOutcome> {
  const hostInput = await readHostCommandInput(invocation, context);
  return withHost(hostInput, context.note, async (reached) => {
    const { policy } = hostInput;
    const place = nameHost(hostInput, reached);
    const { confirmed, loaded } = await observeHost(reached.connection, policy);
    const owner = confirmed?.owner ?? commandLineOwner;
    if (owner !== commandLineOwner && !invocation.has("adopt")) {
      const message = `${place}: not removed: its owner is ${showOwner(owner)}. Remove it there, or take it over with --adopt. Nothing was changed on the host`;
      throw new KnockgateError("OWNED_BY_ANOTHER", message);
    }
    const lines: string[] = [];
    await removeFromReached(policy, owner, reached, (line) => lines.push(line));
    const wasThere = confirmed !== undefined || loaded !== undefined;
    const warnings = lines.filter((line) => line.includes(": warning: "));
    const said = wasThere ? lines : [...warnings, `${place}: the host has nothing of the policy`];
    return {
      exitCode: 0,
      text: said.map((line) => `${line}\n`).join(""),
      json: { policy: policy.name, wasThere, warnings },
    };
  });
}
