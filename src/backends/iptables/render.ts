import { unreachable } from "../../errors.js";
import { type Family, families } from "../../policy/prefix.js";
import type { Chain, Effect, Rule, Ruleset, SecretFormatter } from "../../ruleset/ruleset.js";
import { joinLines, type Line } from "../line.js";
import { quoteIptables } from "../quote.js";
import {
  append,
  type Fragment,
  type MatchContext,
  renderMatches,
  toAnyPort,
  toRange,
  writeRange,
} from "./match.js";
import { chainName, hook, listName } from "./names.js";

/** A ruleset as iptables-restore and ip6tables-restore read it, without the lines that begin and end a table. */
export interface IptablesRules {
  /** The policy's own chains. The built-in chain jumps to the first one. */
  readonly chains: readonly string[];
  readonly jump: string;
  readonly rules: readonly string[];
}

/**
 * The most port ranges that are matched one by one. If there are more, one rule matches many of them, and the rules for
 * each range are in a chain of their own.
 */
const mostInLine = 4;

/**
 * Prints a ruleset for one family. The same ruleset gives the same lines. A short chain that only a dispatch leads to
 * is printed inline, at the dispatch, as people write such rules by hand.
 */
export function renderIptables(ruleset: Ruleset, family: Family, show: SecretFormatter): IptablesRules {
  const { chains, rules } = renderFamily(ruleset, family, show);
  return {
    chains: chains.map((chain) => chainName(ruleset.policy, chain.name)),
    jump: renderJump(ruleset),
    rules: rules.map(({ text }) => text),
  };
}

function renderJump(ruleset: Ruleset): string {
  return `${hook(ruleset.scope).chain} ! -i lo -j ${chainName(ruleset.policy, "input")}`;
}

interface FamilyRules {
  readonly chains: readonly Chain[];
  readonly rules: readonly Line[];
}

function renderFamily(ruleset: Ruleset, family: Family, show: SecretFormatter): FamilyRules {
  const printer: Printer = {
    ruleset,
    family,
    show,
    sets: new Map(ruleset.sets.map((set) => [set.name, set])),
    inline: new Map(ruleset.chains.filter(isInline).map((chain) => [chain.name, chain])),
  };
  const own = ruleset.chains.filter((chain) => chain.family === undefined || chain.family === family);
  const chains = [...own.filter((chain) => !isInline(chain)), ...listLong(ruleset)];
  const rules = chains.flatMap((chain) => {
    const name = chainName(ruleset.policy, chain.name);
    return chain.rules
      .flatMap((rule) => renderRule(rule, printer))
      .map(({ words, paths }) => ({ text: `-A ${[name, ...words].join(" ")}`, paths }));
  });
  return { chains, rules };
}

interface Printer extends MatchContext {
  /** Chains that are printed inline, at the dispatch. */
  readonly inline: ReadonlyMap<string, Chain>;
}

type Dispatch = Extract<Rule["verdict"], { kind: "dispatch" }>;

function isInline(chain: Chain): boolean {
  return chain.rules.length <= 2 && /_(door|closed)$/.test(chain.name);
}

/** Lists the chains for dispatches that are too long to be printed inline. Each chain has a rule for each range. */
function listLong(ruleset: Ruleset): readonly Chain[] {
  const long = ruleset.chains
    .flatMap(({ rules }) => rules)
    .flatMap(({ from, verdict }) =>
      verdict?.kind === "dispatch" && isLong(verdict) ? [{ from, verdict }] : [],
    );
  return [...new Set(long.map(({ verdict }) => verdict.list))].map((name): Chain => {
    const own = long.filter(({ verdict }) => verdict.list === name);
    const rules = own.flatMap(({ from, verdict }) =>
      verdict.entries.map((entry): Rule => {
        return { from, matches: [], effects: [], verdict: { ...verdict, entries: [entry] } };
      }),
    );
    return { name, from: own.flatMap(({ from }) => from), rules };
  });
}

function isLong({ entries }: Dispatch): boolean {
  return entries.length > mostInLine;
}

/**
 * A rule has one target, and a match that fails ends the rule. So in a rule without a verdict, where an effect may
 * fail, each effect becomes a rule of its own.
 */
function renderRule(rule: Rule, printer: Printer): readonly Fragment[] {
  const { ruleset } = printer;
  const verdict = rule.verdict;
  return renderMatches(rule, printer).flatMap((matches): readonly Fragment[] => {
    const effects = rule.effects.flatMap((effect) => renderEffect(effect, printer));
    if (verdict === undefined) return effects.map((effect) => append(matches, effect));
    if (verdict.kind === "dispatch")
      return renderDispatch(verdict, printer).map(({ words, paths }) => append(matches, words, paths));
    const { words, paths } = renderTarget(verdict, ruleset.policy);
    return [append(matches, [...effects.flat(), ...words], paths)];
  });
}

function renderDispatch(verdict: Dispatch, printer: Printer): readonly Fragment[] {
  const { protocol, entries, list } = verdict;
  const { policy } = printer.ruleset;
  if (isLong(verdict)) {
    const toList = ["-g", chainName(policy, list)];
    const ports = entries.map(({ range, from }) => writeRange(range, from));
    return toAnyPort(protocol, ports).map((toPorts) => append(toPorts, toList));
  }
  return entries.flatMap(({ range, chain, from }) => {
    const toPorts = { words: toRange(protocol, range), paths: from };
    const target = printer.inline.get(chain);
    if (target === undefined) return [append(toPorts, ["-g", chainName(policy, chain)])];
    return target.rules
      .flatMap((inner) => renderRule(inner, printer))
      .map(({ words, paths }) => append(toPorts, words, paths));
  });
}

function renderTarget(verdict: Exclude<Rule["verdict"], undefined | Dispatch>, policy: string): Fragment {
  switch (verdict.kind) {
    case "accept":
    case "drop":
    case "return":
      return { words: ["-j", verdict.kind.toUpperCase()], paths: verdict.from ?? [] };
    case "goto":
      return { words: ["-g", chainName(policy, verdict.chain)], paths: [] };
    case "jump":
      return { words: ["-j", chainName(policy, verdict.chain)], paths: [] };
    case "dispatchSteps":
      throw new Error("iptables has no maps of verdicts"); // its rulesets have one chain for all first steps
    default:
      return unreachable(verdict);
  }
}

/** iptables counts the packets of each rule by itself, so nothing is printed for `count`. */
function renderEffect(effect: Effect, { ruleset }: Printer): readonly (readonly string[])[] {
  switch (effect.kind) {
    case "addSource":
      return [["-m", "recent", "--set", "--name", listName(ruleset.policy, effect.set), "--rsource"]];
    case "deleteSource":
      return [["-m", "recent", "--remove", "--name", listName(ruleset.policy, effect.set), "--rsource"]];
    case "log": {
      const limit = ["-m", "limit", "--limit", `${effect.perMinute}/min`];
      return [[...limit, "-j", "LOG", "--log-prefix", quoteIptables(effect.prefix)]];
    }
    case "deleteToken":
      throw new Error("iptables can't spend a token"); // the rule iptables-token finds it first
    case "count":
      return [];
  }
}

/** The line before each family's part of the text that goes to a host. */
function familyHeading(family: Family): string {
  return `# ${family}`;
}

/** Lists the lines of one family's part of such a text, without its heading. */
export function listFamilyLines(text: string, family: Family): readonly string[] {
  const lines = text.split("\n");
  const begin = lines.indexOf(familyHeading(family));
  const end = lines.findIndex((line, index) => index > begin && line.startsWith("# "));
  return begin < 0 ? [] : lines.slice(begin + 1, end < 0 ? undefined : end);
}

/**
 * Prints both families as one text: the input of iptables-restore below the heading `# ipv4`, the input of
 * ip6tables-restore below `# ipv6`.
 *
 * @param replaced lines that remove what is loaded of a family now
 */
export function renderIptablesText(
  ruleset: Ruleset,
  show: SecretFormatter,
  replaced: (family: Family) => readonly string[] = () => [],
): string {
  return joinLines(renderIptablesLines(ruleset, show, replaced));
}

/** Prints the lines of that text. */
export function renderIptablesLines(
  ruleset: Ruleset,
  show: SecretFormatter,
  replaced: (family: Family) => readonly string[] = () => [],
): readonly Line[] {
  const ofAll = (text: string): Line => ({ text, paths: [] });
  const ofScope = (text: string): Line => ({ text, paths: ["scope"] });
  return families.flatMap((family) => {
    const { chains, rules } = renderFamily(ruleset, family, show);
    return [
      ofAll(familyHeading(family)),
      ofScope(`*${hook(ruleset.scope).table}`),
      ...chains.map(({ name, from }) => ({
        text: `:${chainName(ruleset.policy, name)} - [0:0]`,
        paths: from,
      })),
      ...replaced(family).map(ofAll),
      ofScope(`-I ${renderJump(ruleset).replace(" ", " 1 ")}`),
      ...rules,
      ofAll("COMMIT"),
    ];
  });
}
