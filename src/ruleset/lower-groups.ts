import type { PlacedPolicy } from "../policy/policy-path.js";
import { type Family, families } from "../policy/prefix.js";
import { lowerMidKnock } from "./lower-sets.js";
import { decide } from "./make-rule.js";
import type { Chain, Paths, Rule, SourceSet } from "./ruleset.js";
import { midKnockGroupSet, progressSet } from "./set-names.js";
import type { PlacedSequence } from "./step-match.js";

/** What finds the strict gates where a source is in mid-knock, without a look at each gate. */
export interface LoweredGroups {
  readonly sets: readonly SourceSet[];
  /** Send a packet there that is a wrong one for all gates where its source is. */
  readonly rules: readonly Rule[];
  readonly chains: readonly Chain[];
  /** By the gate's name: the sets of the groups that it is in. */
  readonly setsOf: ReadonlyMap<string, readonly string[]>;
}

/** The most sets in which a source is looked up one by one. */
const mostLookUps = 15;

/** A gate, or a group of such parts. */
type GroupPart = PlacedSequence | Group;

interface Group {
  readonly name: string;
  readonly set: string;
  readonly gates: readonly PlacedSequence[];
  readonly parts: readonly GroupPart[];
}

/**
 * Puts gates into groups, and groups into larger ones. Each group has a set of the sources that may be in mid-knock at
 * one of its gates. So a packet meets only the rules of the groups, and then of the gates, where its source is. Each
 * family has its own chains, because such a packet meets more rules than any other.
 */
export function lowerGroups(policy: PlacedPolicy, gates: readonly PlacedSequence[]): LoweredGroups {
  const parts = groupParts(gates);
  const groups = parts.flatMap(listGroups);
  const setsOf = new Map(gates.map(({ name }) => [name, [] as string[]]));
  for (const group of groups) for (const { name } of group.gates) setsOf.get(name)?.push(group.set);
  const top = { name: "strict", gates, parts };
  return {
    sets: groups.map((group) => lowerMidKnock(policy, group.set, group.gates)),
    rules: families.flatMap((family) =>
      gates.length === 0
        ? []
        : [decide([], [{ kind: "ofFamily", family }], { kind: "goto", chain: chainOf(top, family) })],
    ),
    chains: families.flatMap((family) =>
      (gates.length === 0 ? [] : [top, ...groups]).map((group): Chain => {
        const rules = group.parts.flatMap((part) => lowerPart(part, family));
        return { name: chainOf(group, family), from: listPaths(group), family, rules };
      }),
    ),
    setsOf,
  };
}

/** Makes groups of about the same size, and groups of those, until few parts are left. */
function groupParts(parts: readonly GroupPart[]): readonly GroupPart[] {
  if (countLookUps(parts) <= mostLookUps) return parts;
  let before = 0;
  const groups = splitParts(parts).map((own): Group => {
    const gates = own.flatMap((part) => (isGroup(part) ? part.gates : [part]));
    const first = before + 1;
    before += gates.length;
    const set = midKnockGroupSet(gates.length, first);
    return { name: `strict${gates.length}_${first}`, set, gates, parts: own };
  });
  return groupParts(groups);
}

function splitParts(parts: readonly GroupPart[]): readonly (readonly GroupPart[])[] {
  const lookUps = countLookUps(parts);
  const enough = lookUps / Math.ceil(lookUps / mostLookUps);
  const lists: GroupPart[][] = [];
  let sum = enough;
  for (const part of parts) {
    const own = countLookUps([part]);
    if (sum >= enough || sum + own > mostLookUps) {
      lists.push([]);
      sum = 0;
    }
    lists.at(-1)?.push(part);
    sum += own;
  }
  return lists;
}

function countLookUps(parts: readonly GroupPart[]): number {
  return parts.reduce((sum, part) => sum + (isGroup(part) ? 1 : part.knock.steps.length - 1), 0);
}

function isGroup(part: GroupPart): part is Group {
  return "parts" in part;
}

/** Lists a group before the groups in it. */
function listGroups(part: GroupPart): readonly Group[] {
  return isGroup(part) ? [part, ...part.parts.flatMap(listGroups)] : [];
}

function lowerPart(part: GroupPart, family: Family): readonly Rule[] {
  if (isGroup(part)) return [goIn(listPaths(part), part.set, chainOf(part, family))];
  const { name, paths, knock } = part;
  return knock.steps
    .slice(0, -1)
    .map((_, index) => goIn([paths.strict], progressSet(name, index + 1), `${name}_strict`));
}

function goIn(from: Paths, set: string, chain: string): Rule {
  return decide(from, [{ kind: "inSet", set }], { kind: "jump", chain });
}

function chainOf({ name }: Pick<Group, "name">, family: Family): string {
  return `${name}_${family.replace("ip", "")}`;
}

function listPaths({ gates }: Pick<Group, "gates">): Paths {
  return gates.map(({ paths }) => paths.strict);
}
