import { isIPv4 } from "node:net";
import { families } from "../policy/prefix.js";
import { baseChain, renderNftables, setShape } from "../render/nftables.js";
import { familySetName, tableName } from "../render/nftables-names.js";
import { isIdentifier } from "../render/quote.js";
import type { Ruleset, SourceSet } from "../render/ruleset.js";
import { showValue } from "../render/show.js";
import type { Load } from "./load.js";
import type { LoadedTable, ObservedChain, ObservedSet } from "./observed.js";

/** Plans one transaction for `nft -f`. */
export function planNftablesLoad(
  ruleset: Ruleset,
  loaded: LoadedTable | undefined,
  sources: readonly string[],
): Load {
  const table = `inet ${tableName(ruleset.policy)}`;
  const text = renderNftables(ruleset, showValue);
  if (loaded === undefined || !doesFit(ruleset, loaded)) {
    return { kind: "replace", text: `add table ${table}\ndelete table ${table}\n${text}` };
  }
  const wantedSets = new Set(ruleset.sets.flatMap(familySetNames));
  const wantedChains = new Set(ruleset.chains.map((chain) => chain.name));
  const wantedCounters = new Set(ruleset.counters);
  const loadedSets = new Set(loaded.sets.map((set) => set.name));
  const lines = [
    `flush table ${table}`,
    ...loaded.chains
      .filter(({ name }) => !wantedChains.has(name))
      .map(({ name }) => `delete chain ${table} ${name}`),
    ...loaded.sets
      .filter(({ name }) => !wantedSets.has(name))
      .map(({ name }) => `delete set ${table} ${name}`),
    ...loaded.counters
      .filter((name) => !wantedCounters.has(name))
      .map((name) => `delete counter ${table} ${name}`),
    ...ruleset.sets
      .filter((set) => set.role === "progress")
      .flatMap(familySetNames)
      .filter((name) => loadedSets.has(name))
      .map((name) => `flush set ${table} ${name}`),
  ];
  return { kind: "refill", text: `${lines.join("\n")}\n${text}${closeDoors(ruleset, table, sources)}` };
}

/** A set or the base chain can't change its kind in place; and a name that isn't ours to quote is not kept. */
function doesFit(ruleset: Ruleset, loaded: LoadedTable): boolean {
  const wanted = new Map(
    ruleset.sets.flatMap((set) =>
      families.map((family) => [familySetName(set.name, family), setShape(set, family)] as const),
    ),
  );
  const kept = new Set(ruleset.chains.map((chain) => chain.name));
  const { hook, priority } = baseChain(ruleset.scope);
  const isHookedAsWanted = (chain: ObservedChain): boolean =>
    chain.name === "input" ? chain.hook === hook && chain.priority === priority : chain.hook === undefined;
  return (
    [...loaded.sets, ...loaded.chains].every(({ name }) => isIdentifier(name)) &&
    loaded.counters.every(isIdentifier) &&
    loaded.chains.some(({ name }) => name === "input") &&
    loaded.chains.every((chain) => !kept.has(chain.name) || isHookedAsWanted(chain)) &&
    loaded.sets.every((set) => {
      const shape = wanted.get(set.name);
      return shape === undefined || isSameShape(set, shape);
    })
  );
}

function isSameShape(set: ObservedSet, shape: ReturnType<typeof setShape>): boolean {
  return set.type === shape.type && set.size === shape.size && set.flags.includes("timeout");
}

/** Deleting an element that isn't there fails the transaction; adding it first never does. */
function closeDoors(ruleset: Ruleset, table: string, sources: readonly string[]): string {
  return ruleset.sets
    .filter((set) => set.role === "open")
    .flatMap((set) =>
      sources.map((source) => {
        const family = isIPv4(source) ? "ipv4" : "ipv6";
        return `element ${table} ${familySetName(set.name, family)} { ${source} }`;
      }),
    )
    .map((element) => `add ${element}\ndelete ${element}\n`)
    .join("");
}

function familySetNames(set: SourceSet): readonly string[] {
  return families.map((family) => familySetName(set.name, family));
}
