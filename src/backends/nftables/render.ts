import { unreachable } from "../../errors.js";
import { formatPortRange } from "../../policy/port.js";
import { type Family, families } from "../../policy/prefix.js";
import type {
  Chain,
  Effect,
  Paths,
  Rule,
  Ruleset,
  SecretFormatter,
  SourceSet,
  TokenSet,
  Verdict,
} from "../../ruleset/ruleset.js";
import { revealSecrets } from "../../ruleset/show.js";
import { joinLines, joinPaths, type Line } from "../line.js";
import { identifier, quoteNftables } from "../quote.js";
import { renderMap, renderStepDispatch } from "./alike.js";
import { familiesOf, isOfFamily, renderMatch, renderSaddr, renderToken } from "./match.js";
import { familySetName, type NftablesContext, tableName } from "./names.js";
import { listRulePaths } from "./paths.js";

/**
 * The hook and the priority at which the kernel hands packets to the policy. Input: before the filter chains of others
 * (priority 0), so that our drop counts whatever they accept. Prerouting: after conntrack (-200), before destination
 * NAT (-100).
 */
export function baseChain(scope: Ruleset["scope"]): { hook: string; priority: number; text: string } {
  return scope === "input"
    ? { hook: "input", priority: -10, text: "filter - 10" }
    : { hook: "prerouting", priority: -110, text: "dstnat - 10" };
}

/** Prints a ruleset as one nftables table. The same ruleset gives the same bytes. */
export function renderNftables(ruleset: Ruleset, show: SecretFormatter = revealSecrets): string {
  return joinLines(renderNftablesLines(ruleset, show));
}

/** Prints the lines of that table. */
export function renderNftablesLines(ruleset: Ruleset, show: SecretFormatter): readonly Line[] {
  const context: NftablesContext = { sets: new Map(ruleset.sets.map((set) => [set.name, set])), show };
  const blocks = [
    ...ruleset.counters.map(({ name, from }) => block(`counter ${identifier(name)}`, from, [])),
    ...ruleset.sets.flatMap((set) => families.map((family) => renderSet(set, family))),
    ...ruleset.tokenSets.map(renderTokenSet),
    ...ruleset.chains.map((chain) => renderChain(chain, ruleset.scope, context)),
  ];
  return [
    { text: `table inet ${tableName(ruleset.policy)} {`, paths: [] },
    ...blocks.flatMap((lines, index) => (index === 0 ? lines : [{ text: "", paths: [] }, ...lines])),
    { text: "}", paths: [] },
  ];
}

/** The properties of a set that can't change while it is loaded. */
export function setShape(
  set: Pick<SourceSet, "key" | "size">,
  family: Family,
): { readonly type: string; readonly size: number } {
  const address = family === "ipv4" ? "ipv4_addr" : "ipv6_addr";
  return { type: set.key === "packet" ? `${address} . inet_service` : address, size: set.size };
}

function renderSet(set: SourceSet, family: Family): readonly Line[] {
  return block(`set ${familySetName(set.name, family)}`, set.from, listSetLines(set, family).map(indent));
}

/**
 * A set of 16 bytes anywhere in a packet. `typeof` takes its length from the expression. Both carriers have tokens of
 * this length, so one set holds both.
 */
function renderTokenSet(set: TokenSet): readonly Line[] {
  const lines = describeTokenSet(set).map((text) => indent({ text, paths: set.from }));
  return block(`set ${identifier(set.name)}`, set.from, lines);
}

/** Prints the lines in the block of a set of tokens. */
export function describeTokenSet({ size }: TokenSet): readonly string[] {
  return ["typeof @th,64,128", `size ${size}`, "flags dynamic,timeout"];
}

/** Prints the lines in a set's block. */
export function describeSet(set: SourceSet, family: Family): readonly string[] {
  return listSetLines(set, family).map(({ text }) => text);
}

function listSetLines(set: SourceSet, family: Family): readonly Line[] {
  const { type, size } = setShape(set, family);
  const line = (text: string, from: Paths): Line => ({ text, paths: joinPaths(set.from, from) });
  // A set that holds rates has a timeout of its own, because a rule with a rate can't give one.
  const timeout = set.key === "network" ? [line(`timeout ${set.timeoutSeconds}s`, set.timeoutFrom)] : [];
  return [
    line(`type ${type}`, []),
    line(`size ${size}`, set.sizeFrom),
    line("flags dynamic,timeout", []),
    ...timeout,
  ];
}

function renderChain(chain: Chain, scope: Ruleset["scope"], context: NftablesContext): readonly Line[] {
  const base = baseChain(scope);
  const hook = `type filter hook ${base.hook} priority ${base.text}; policy accept;`;
  return block(`chain ${identifier(chain.name)}`, chain.from, [
    ...(chain.name === "input" ? [indent({ text: hook, paths: ["scope"] })] : []),
    ...chain.rules.flatMap((rule) => renderRule(rule, chain, context)),
  ]);
}

function block(head: string, from: Paths, lines: readonly Line[]): readonly Line[] {
  return [{ text: `\t${head} {`, paths: from }, ...lines, { text: "\t}", paths: from }];
}

function indent({ text, paths }: Line): Line {
  return { text: `\t\t${text}`, paths };
}

/** A rule that looks at the source's address becomes two rules. The kernel checks the family of each by itself. */
function renderRule(rule: Rule, chain: Chain, context: NftablesContext): readonly Line[] {
  const paths = listRulePaths(rule);
  return familiesOf(rule, chain).map((family) => {
    const words = [
      ...rule.matches.map((match) => renderMatch(match, family ?? "ipv4", context)),
      ...orderEffects(rule).map((effect) => renderEffect(effect, family ?? "ipv4", context)),
      ...(rule.verdict === undefined ? [] : [renderVerdict(rule.verdict, family ?? "ipv4", context)]),
      ...(rule.comment === undefined ? [] : [`comment ${quoteNftables(rule.comment)}`]),
    ];
    return indent({ text: words.join(" "), paths });
  });
}

/**
 * A rule without a match on the family differs from the rule of the other family only in its set statement. The counter
 * must stand behind that statement, or both rules count each packet. There, it counts only sources that the set had
 * room for. A token that found no room is not spent, so it is not counted either.
 */
function orderEffects(rule: Rule): readonly Effect[] {
  const isToken = rule.matches.some(({ kind }) => kind === "token");
  const isSplit = rule.matches.some((match) => match.kind !== "notLinkLocal" && isOfFamily(match));
  if (isSplit && !isToken) return rule.effects;
  const isCount = (effect: Effect) => effect.kind === "count";
  return [...rule.effects.filter((effect) => !isCount(effect)), ...rule.effects.filter(isCount)];
}

/** The timeout is in the rule, not in the set. So the set does not change when a time changes, and doors stay open. */
function renderEffect(effect: Effect, family: Family, { sets }: NftablesContext): string {
  switch (effect.kind) {
    case "addSource": {
      const set = sets.get(effect.set);
      return `update @${familySetName(effect.set, family)} { ${renderSaddr(family, set)} timeout ${set?.timeoutSeconds}s }`;
    }
    case "deleteSource":
      return `delete @${familySetName(effect.set, family)} { ${renderSaddr(family, sets.get(effect.set))} }`;
    case "deleteToken":
      return `delete @${identifier(effect.set)} { ${renderToken(effect.carrier)} }`;
    case "count":
      return `counter name ${quoteNftables(identifier(effect.counter))}`;
    case "log":
      return `limit rate ${effect.perMinute}/minute log prefix ${quoteNftables(effect.prefix)}`;
    default:
      return unreachable(effect);
  }
}

function renderVerdict(verdict: Verdict, family: Family, context: NftablesContext): string {
  switch (verdict.kind) {
    case "accept":
    case "drop":
    case "return":
      return verdict.kind;
    case "goto":
      return `goto ${identifier(verdict.chain)}`;
    case "jump":
      return `jump ${identifier(verdict.chain)}`;
    case "dispatch":
      return renderMap(
        `${verdict.protocol} dport`,
        verdict.entries.map(({ range, chain }) => [formatPortRange(range), `goto ${identifier(chain)}`]),
      );
    case "dispatchSteps":
      return renderStepDispatch(verdict, family, context);
    default:
      return unreachable(verdict);
  }
}
