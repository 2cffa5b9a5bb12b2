import { isIPv4 } from "node:net";
import { families } from "../../policy/prefix.js";
import type { Ruleset, SourceSet } from "../../ruleset/ruleset.js";
import { revealSecrets } from "../../ruleset/show.js";
import type { Load, LoadedTable, ObservedChain, ObservedSet } from "../backend.js";
import { identifier, isIdentifier } from "../quote.js";
import { familySetName, tableName } from "./names.js";
import { baseChain, describeSet, describeTokenSet, renderNftables, setShape } from "./render.js";

/** Plans one transaction for `nft -f`. */
export function planNftablesLoad(
  ruleset: Ruleset,
  loaded: LoadedTable | undefined,
  sources: readonly string[],
): Load {
  const table = `inet ${tableName(ruleset.policy)}`;
  const text = renderNftables(ruleset, revealSecrets);
  if (loaded === undefined || !doesFit(ruleset, loaded)) {
    return {
      kind: "replace",
      dependsOnLoaded: false,
      text: `add table ${table}\ndelete table ${table}\n${text}`,
    };
  }
  const tokenSets = ruleset.tokenSets.map(({ name }) => name);
  const wantedSets = new Set([...ruleset.sets.flatMap(familySetNames), ...tokenSets]);
  const wantedChains = new Set(ruleset.chains.map((chain) => chain.name));
  const wantedCounters = new Set(ruleset.counters.map(({ name }) => name));
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
    ...declareNew(ruleset, loaded, table),
  ];
  const close = closeDoors(ruleset, loadedSets, table, sources);
  return { kind: "refill", dependsOnLoaded: true, text: `${lines.join("\n")}\n${text}${close}` };
}

/**
 * Declares new sets and counters before the table's block, too. nft 0.9 crashes where a block declares a set and the
 * same transaction deletes, flushes or adds elements.
 */
function declareNew(ruleset: Ruleset, loaded: LoadedTable, table: string): readonly string[] {
  const names = new Set([...loaded.sets.map(({ name }) => name), ...loaded.counters]);
  const counters = ruleset.counters.filter(({ name }) => !names.has(name));
  const sets = ruleset.sets.flatMap((set) =>
    families.map((family) => [familySetName(set.name, family), describeSet(set, family)] as const),
  );
  const tokenSets = ruleset.tokenSets.map((set) => [set.name, describeTokenSet(set)] as const);
  return [
    ...counters.map(({ name }) => `add counter ${table} ${identifier(name)}`),
    ...[...sets, ...tokenSets]
      .filter(([name]) => !names.has(name))
      .map(([name, lines]) => `add set ${table} ${name} { ${lines.join("; ")}; }`),
  ];
}

/**
 * Whether the new ruleset fits the loaded table. A loaded set can't change its type or size, and a loaded chain can't
 * change its hook or priority. A table that has a name outside our identifiers is not kept.
 */
function doesFit(ruleset: Ruleset, loaded: LoadedTable): boolean {
  if (loaded.isUndescribed) return false;
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
    }) &&
    // Each nft describes the type of such a set in its own way.
    ruleset.tokenSets.every(({ name, size }) =>
      loaded.sets.every((set) => set.name !== name || (set.size === size && set.flags.includes("timeout"))),
    )
  );
}

function isSameShape(set: ObservedSet, shape: ReturnType<typeof setShape>): boolean {
  return set.type === shape.type && set.size === shape.size && set.flags.includes("timeout");
}

/**
 * Removes the sources from all doors. To delete an element that is missing fails the transaction, so each element is
 * added first: that never fails. A new set has no elements.
 */
function closeDoors(
  ruleset: Ruleset,
  loadedSets: ReadonlySet<string>,
  table: string,
  sources: readonly string[],
): string {
  return ruleset.sets
    .filter((set) => set.role === "open")
    .flatMap((set) =>
      sources.map((source) => ({
        name: familySetName(set.name, isIPv4(source) ? "ipv4" : "ipv6"),
        source,
      })),
    )
    .filter(({ name }) => loadedSets.has(name))
    .map(({ name, source }) => `element ${table} ${name} { ${source} }`)
    .map((element) => `add ${element}\ndelete ${element}\n`)
    .join("");
}

function familySetNames(set: SourceSet): readonly string[] {
  return families.map((family) => familySetName(set.name, family));
}
