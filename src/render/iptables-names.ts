import type { Ruleset } from "./ruleset.js";

/** Where the kernel hands packets over: in iptables a table and one of its built-in chains. */
export function hook(scope: Ruleset["scope"]): { readonly table: string; readonly chain: string } {
  return scope === "input" ? { table: "filter", chain: "INPUT" } : { table: "mangle", chain: "PREROUTING" };
}

/** Names one of a policy's own chains; the first one is named after the policy alone. */
export function chainName(policy: string, chain: string): string {
  return chain === "input" ? `kg_${policy}` : `kg_${policy}_${chain}`;
}

/** Names a list of xt_recent. */
export function listName(policy: string, set: string): string {
  return `kg_${policy}_${set}`;
}
