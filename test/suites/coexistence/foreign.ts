import type { LabHost } from "../../../lab/host";
import { withoutCounts } from "../../../lab/nft-listing";

/** All rules of a host except Knockgate's, as its tools list them, without the counters that packets change. */
export async function listForeign(host: LabHost): Promise<string> {
  const list = async (argv: readonly string[]) => (await host.run(argv)).stdout;
  const tables = await list(["nft", "-s", "list", "ruleset"]);
  const saved = await Promise.all(["iptables-save", "ip6tables-save"].map((tool) => list([tool])));
  return [dropOwnTables(withoutCounts(tables)), ...saved.map(dropOwnChains)].join("\n");
}

/** Leaves iptables' own tables to iptables-save, which knows their matches. */
function dropOwnTables(ruleset: string): string {
  return ruleset
    .replace(/^# Warning: .*\n/gm, "")
    .replace(/^table (inet knockgate_edge|ip6? (filter|mangle|nat|raw)) \{\n(.*\n)*?\}\n/gm, "");
}

/** Leaves out empty built-in tables: they come into being when they are first used or listed, and mean nothing. */
function dropOwnChains(saved: string): string {
  return saved
    .replace(/^(#|:kg_edge|-A kg_edge).*\n/gm, "")
    .replace(/^-A .* -j kg_edge\n/gm, "")
    .replace(/\[\d+:\d+\]$/gm, "")
    .replace(/^\*\S+\n(:\S+ ACCEPT \n)*COMMIT\n/gm, "");
}
