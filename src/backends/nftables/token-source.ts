import type { TokenSettings } from "../../policy/policy.js";
import { isTokenHost } from "../../policy/token.js";
import type { Ruleset } from "../../ruleset/ruleset.js";
import { identifier } from "../quote.js";

/**
 * Writes what a host makes its tokens from, for the host script: a line for each fact, its words separated by a space.
 * Secret: it has the users' keys. `undefined`: the ruleset has no tokens.
 *
 * @param host the host's name for tokens
 */
export function writeTokenSource(
  { policy, tokenSets }: Ruleset,
  host: string,
  { slotSeconds, horizonDays, graceSeconds }: TokenSettings,
): string | undefined {
  const all = tokenSets.find(({ owner }) => owner === undefined);
  if (all === undefined) return undefined;
  const users = tokenSets.flatMap(({ name, owner }) =>
    owner === undefined ? [] : [`user ${identifier(name)} ${owner.gate} ${owner.key}`],
  );
  return [
    `policy ${policy}`,
    `host ${quoteHost(host)}`,
    `slot ${slotSeconds}`,
    `horizon ${horizonDays * 86_400}`,
    `grace ${graceSeconds}`,
    `all ${identifier(all.name)}`,
    ...users,
    "",
  ].join("\n");
}

/** The arguments were checked for this. */
function quoteHost(host: string): string {
  if (!isTokenHost(host)) throw new Error(`not a host for tokens: ${JSON.stringify(host)}`);
  return host;
}
