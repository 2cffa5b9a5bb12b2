import { withHost } from "../../../change/with-host.js";
import { KnockgateError } from "../../../errors.js";
import { askOpenings, observeHost } from "../../../host/script/observe.js";
import type { LoggedOpenings, ObservedTokens } from "../../../host/tokens.js";
import type { CommandContext, CommandOutcome, Invocation } from "../../framework/command.js";
import { readProfilePolicy } from "../../hosts/command-context.js";
import { describeUsers, findTokenTrouble, listUserFields } from "../../hosts/describe-users.js";
import { readHostLogin } from "../../hosts/read-connection.js";

/** Runs `knockgate who`. */
export async function runWho(invocation: Invocation, context: CommandContext): Promise<CommandOutcome> {
  const [word = ""] = invocation.arguments;
  const { connection, profile, openHop } = await readHostLogin(word, invocation, context);
  const policy = profile && readProfilePolicy(profile);
  if (profile === undefined || policy === undefined) {
    const why =
      profile === undefined
        ? "it is not a profile"
        : "its profile has no gate that a token opens, so no users";
    throw new KnockgateError("ARGUMENTS_INVALID", `${word}: ${why}. Nothing was contacted.`);
  }
  return withHost({ connection, gatedBy: [policy], openHop }, context.note, async (reached) => {
    const { tokens, clock = Date.now() / 1_000 } = await observeHost(reached.connection, policy);
    const logged = tokens && (await askOpenings(reached.connection, policy));
    const place = `${policy.name} on ${reached.route.name}`;
    const horizonSeconds = policy.tokens.horizonDays * 86_400;
    const trouble = tokens === undefined ? [] : findTokenTrouble(tokens, clock, horizonSeconds);
    return describe(place, { host: profile.way.host, policy: policy.name }, tokens, logged, trouble);
  });
}

function describe(
  place: string,
  names: { readonly host: string; readonly policy: string },
  tokens: ObservedTokens | undefined,
  logged: LoggedOpenings | undefined,
  trouble: readonly string[],
): CommandOutcome {
  if (tokens === undefined) {
    const text = `${place}: the host has no confirmed tokens of this policy\n`;
    return { exitCode: 1, text, json: { ...names, users: [] } };
  }
  const lines = [...describeUsers(tokens, logged), ...trouble.map((line) => `warning: ${line}`)];
  return {
    exitCode: 0,
    text: lines.map((line) => `${place}: ${line}\n`).join(""),
    json: { ...names, ...listUserFields(tokens, logged), warnings: trouble },
  };
}
