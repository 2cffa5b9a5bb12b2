import type { LabHost } from "../lab/host";
import { withoutCounts } from "../lab/nft-listing";

/** All rules of a host but Knockgate's own, as its tools list them, without what packets change: counters. */
export async function listForeign(host: LabHost): Promise<string> {
  const list = async (argv: readonly string[]) => (await host.run(argv)).stdout;
  const tables = await list(["nft", "-s", "list", "ruleset"]);
  const saved = await Promise.all(["iptables-save", "ip6tables-save"].map((tool) => list([tool])));
  return [dropOwnTables(withoutCounts(tables)), ...saved.map(dropOwnChains)].join("\n");
}

/** iptables' own tables are left to iptables-save, which knows its matches. */
function dropOwnTables(ruleset: string): string {
  return ruleset
    .replace(/^# Warning: .*\n/gm, "")
    .replace(/^table (inet knockgate_edge|ip6? (filter|mangle|nat|raw)) \{\n(.*\n)*?\}\n/gm, "");
}

/** An empty built-in table comes into being when it is first used or listed, and means nothing. */
function dropOwnChains(saved: string): string {
  return saved
    .replace(/^(#|:kg_edge|-A kg_edge).*\n/gm, "")
    .replace(/^-A .* -j kg_edge\n/gm, "")
    .replace(/\[\d+:\d+\]$/gm, "")
    .replace(/^\*\S+\n(:\S+ ACCEPT \n)*COMMIT\n/gm, "");
}
