import type { Family } from "../../policy/prefix.js";
import type { Ruleset } from "../../ruleset/ruleset.js";
import { revealSecrets } from "../../ruleset/show.js";
import type { Load, LoadedTable } from "../backend.js";
import { isIdentifier } from "../quote.js";
import { listName } from "./names.js";
import { listFamilyLines, renderIptables, renderIptablesText } from "./render.js";

/**
 * Plans one transaction for each family. iptables-restore empties each chain that it names. The same transaction
 * deletes the old jump and inserts the new one. xt_recent's lists survive the transaction, so doors stay open. The
 * lines `#forget` and `#close` are comments to iptables-restore. They tell the host's script which lists to empty, and
 * from which lists to remove the deployer.
 */
export function planIptablesLoad(
  ruleset: Ruleset,
  loaded: LoadedTable | undefined,
  sources: readonly string[],
): Load {
  const replaced = (family: Family): readonly string[] => {
    const wanted = renderIptables(ruleset, family, revealSecrets);
    const { chains, jumps } = readListing(loaded?.listing ?? "", family, wanted.chains[0] ?? "");
    const kept = new Set(wanted.chains);
    const leftover = chains.filter((chain) => !kept.has(chain));
    return [
      ...jumps.map((jump) => `-D ${jump}`),
      ...leftover.map((chain) => `-F ${chain}`),
      ...leftover.map((chain) => `-X ${chain}`),
    ];
  };
  const forget = ruleset.sets
    .filter((set) => set.role === "progress" && set.key !== "network")
    .map((set) => listName(ruleset.policy, set.name));
  const close = ruleset.sets
    .filter((set) => set.role === "open")
    .map((set) => listName(ruleset.policy, set.name));
  return {
    kind: loaded === undefined ? "replace" : "refill",
    // What iptables refuses does not depend on what is loaded.
    dependsOnLoaded: false,
    text: [
      renderIptablesText(ruleset, revealSecrets, replaced),
      ...forget.map((list) => `#forget ${list}\n`),
      ...close.flatMap((list) => sources.map((source) => `#close ${list} ${source}\n`)),
    ].join(""),
  };
}

/** Reads the host script's listing of one family: our chains, and the rules outside the first chain that jump to it. */
function readListing(listing: string, family: Family, first: string): { chains: string[]; jumps: string[] } {
  const ours = listFamilyLines(listing, family);
  const chains = ours.flatMap((line) => /^:(\S+) /.exec(line)?.[1] ?? []).filter(isIdentifier);
  const jumps = ours.filter((line) => line.endsWith(` -j ${first}`) && !line.startsWith(`-A ${first}`));
  return { chains, jumps: jumps.map((line) => line.replace(/^-A /, "")) };
}
