import type { LoadedTable, ObservedSet } from "../../../src/backends/backend";
import { familySetName } from "../../../src/backends/nftables/names";
import { baseChain, renderNftables, setShape } from "../../../src/backends/nftables/render";
import type { Ruleset } from "../../../src/ruleset/ruleset";

/** What a host would report about a table that was just loaded from this ruleset. */
export function describeTable(ruleset: Ruleset): LoadedTable {
  return {
    listing: renderNftables(ruleset),
    counters: ruleset.counters.map(({ name }) => name),
    // nft 1.0.6 leaves "dynamic" out of its JSON, and the length of a part of a packet.
    sets: [
      ...ruleset.sets.flatMap((set) =>
        (["ipv4", "ipv6"] as const).map((family): ObservedSet => {
          return { name: familySetName(set.name, family), ...setShape(set, family), flags: ["timeout"] };
        }),
      ),
      ...ruleset.tokenSets.map(({ name, size }): ObservedSet => {
        return { name, type: "integer", size, flags: ["timeout"] };
      }),
    ],
    chains: ruleset.chains.map(({ name }) => {
      const { hook, priority } = baseChain(ruleset.scope);
      return name === "input" ? { name, hook, priority } : { name, hook: undefined, priority: undefined };
    }),
  };
}
