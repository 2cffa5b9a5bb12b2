import type { Ruleset } from "../../ruleset/ruleset.js";

/** The table and the built-in chain from which packets come to the policy's first chain. */
export function hook(scope: Ruleset["scope"]): { readonly table: string; readonly chain: string } {
  return scope === "input" ? { table: "filter", chain: "INPUT" } : { table: "mangle", chain: "PREROUTING" };
}

/** Names one of a policy's own chains. The name of the first chain has only the policy's name in it. */
export function chainName(policy: string, chain: string): string {
  return chain === "input" ? `kg_${policy}` : `kg_${policy}_${shorten(chain)}`;
}

/** A chain's name has at most 28 characters, and the names of a policy and of a gate are in it. */
function shorten(chain: string): string {
  const short: Readonly<Record<string, string>> = { new_connections: "new_conns", first_steps: "first" };
  return short[chain] ?? chain.replace(/_first_step$/, "_first").replace(/_sequence$/, "_steps");
}

/** Names a list of xt_recent. */
export function listName(policy: string, set: string): string {
  return `kg_${policy}_${set}`;
}
