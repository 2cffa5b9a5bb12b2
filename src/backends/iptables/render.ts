import { unreachable } from "../../errors.js";
import { type Family, families } from "../../policy/prefix.js";
import type { Chain, Effect, Rule, Ruleset, ShowSecret } from "../../ruleset/ruleset.js";
import { quoteIptables } from "../quote.js";
import { type MatchContext, renderMatches, toAnyPort, toRange, writeRange } from "./match.js";
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
export function renderIptables(ruleset: Ruleset, family: Family, show: ShowSecret): IptablesRules {
  const printer: Printer = {
    ruleset,
    family,
    show,
    sets: new Map(ruleset.sets.map((set) => [set.name, set])),
    inline: new Map(ruleset.chains.filter(isInline).map((chain) => [chain.name, chain])),
  };
  const chains = [...ruleset.chains.filter((chain) => !isInline(chain)), ...listLong(ruleset)];
  return {
    chains: chains.map((chain) => chainName(ruleset.policy, chain.name)),
    jump: `${hook(ruleset.scope).chain} ! -i lo -j ${chainName(ruleset.policy, "input")}`,
    rules: chains.flatMap((chain) => {
      const name = chainName(ruleset.policy, chain.name);
      return chain.rules
        .flatMap((rule) => renderRule(rule, printer))
        .map((words) => `-A ${[name, ...words].join(" ")}`);
    }),
  };
}

interface Printer extends MatchContext {
  /** Chains that are printed inline, at the dispatch. */
  readonly inline: ReadonlyMap<string, Chain>;
}

type Words = readonly string[];
type Dispatch = Extract<Rule["verdict"], { kind: "dispatch" }>;

function isInline(chain: Chain): boolean {
  return chain.rules.length <= 2 && /_(door|closed)$/.test(chain.name);
}

/** Lists the chains for dispatches that are too long to be printed inline. Each chain has a rule for each range. */
function listLong(ruleset: Ruleset): readonly Chain[] {
  const long = ruleset.chains
    .flatMap(({ rules }) => rules)
    .flatMap(({ verdict }) => (verdict?.kind === "dispatch" && isLong(verdict) ? [verdict] : []));
  return [...new Set(long.map(({ list }) => list))].map((list) => ({
    name: list,
    rules: long
      .filter((verdict) => verdict.list === list)
      .flatMap((verdict) =>
        verdict.entries.map((entry) => ({
          matches: [],
          effects: [],
          verdict: { ...verdict, entries: [entry] },
        })),
      ),
  }));
}

function isLong({ entries }: Dispatch): boolean {
  return entries.length > mostInLine;
}

/**
 * A rule has one target, and a match that fails ends the rule. So in a rule without a verdict, where an effect may
 * fail, each effect becomes a rule of its own.
 */
function renderRule(rule: Rule, printer: Printer): readonly Words[] {
  const { ruleset } = printer;
  const verdict = rule.verdict;
  return renderMatches(rule.matches, printer).flatMap((matches): readonly Words[] => {
    const effects = rule.effects.flatMap((effect) => renderEffect(effect, printer));
    if (verdict === undefined)
      return effects.length === 0 ? [] : effects.map((effect) => [...matches, ...effect]);
    if (verdict.kind === "dispatch")
      return renderDispatch(verdict, printer).map((words) => [...matches, ...words]);
    return [[...matches, ...effects.flat(), ...renderTarget(verdict, ruleset.policy)]];
  });
}

function renderDispatch(verdict: Dispatch, printer: Printer): readonly Words[] {
  const { protocol, entries, list } = verdict;
  const { policy } = printer.ruleset;
  if (isLong(verdict)) {
    const ports = entries.map(({ range }) => writeRange(range));
    return toAnyPort(protocol, ports).map((toPorts) => [...toPorts, "-g", chainName(policy, list)]);
  }
  return entries.flatMap(({ range, chain }) => {
    const toPorts = toRange(protocol, range);
    const target = printer.inline.get(chain);
    if (target === undefined) return [[...toPorts, "-g", chainName(policy, chain)]];
    return target.rules.flatMap((inner) => renderRule(inner, printer)).map((words) => [...toPorts, ...words]);
  });
}

function renderTarget(verdict: Exclude<Rule["verdict"], undefined | Dispatch>, policy: string): Words {
  switch (verdict.kind) {
    case "accept":
    case "drop":
    case "return":
      return ["-j", verdict.kind.toUpperCase()];
    case "go":
      return ["-g", chainName(policy, verdict.chain)];
    case "call":
      return ["-j", chainName(policy, verdict.chain)];
    case "dispatchSteps":
      throw new Error("iptables has no maps of verdicts"); // its rulesets have one chain for all first steps
    default:
      return unreachable(verdict);
  }
}

/** iptables counts the packets of each rule by itself, so nothing is printed for `count`. */
function renderEffect(effect: Effect, { ruleset }: Printer): readonly Words[] {
  switch (effect.kind) {
    case "put":
      return [["-m", "recent", "--set", "--name", listName(ruleset.policy, effect.set), "--rsource"]];
    case "take":
      return [["-m", "recent", "--remove", "--name", listName(ruleset.policy, effect.set), "--rsource"]];
    case "log": {
      const limit = ["-m", "limit", "--limit", `${effect.perMinute}/min`];
      return [[...limit, "-j", "LOG", "--log-prefix", quoteIptables(effect.prefix)]];
    }
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
  show: ShowSecret,
  replaced: (family: Family) => readonly string[] = () => [],
): string {
  return families
    .flatMap((family) => {
      const { chains, jump, rules } = renderIptables(ruleset, family, show);
      return [
        familyHeading(family),
        `*${hook(ruleset.scope).table}`,
        ...chains.map((chain) => `:${chain} - [0:0]`),
        ...replaced(family),
        `-I ${jump.replace(" ", " 1 ")}`,
        ...rules,
        "COMMIT",
      ];
    })
    .map((line) => `${line}\n`)
    .join("");
}
