import { unreachable } from "../errors.js";
import { formatPortRange } from "../policy/port.js";
import { type Family, formatPrefix } from "../policy/prefix.js";
import { identifier, quoteNftables } from "./quote.js";
import type { Chain, Effect, Match, Rule, Ruleset, SourceSet, StepMatch, Verdict } from "./ruleset.js";

/** Shows a step's port: as it is for the host, as a label for people. */
export type ShowPort = (step: StepMatch) => string;

const families: readonly Family[] = ["ipv4", "ipv6"];

/**
 * Elements of each dynamic set. More sources than that at once find no place until others time out, at about 7 MB of
 * kernel memory for a full set. Not a number that could be a port, so that hiding ports in a listing leaves it alone.
 */
const setSize = 65_536;

/** Before the filter chains of others (priority 0), so that what we drop is dropped whatever they accept. */
export const baseChain = { hook: "input", priority: -10 } as const;

/** Names a policy's table; its family is `inet`, so that one table holds both address families. */
export function tableName(policy: string): string {
  return identifier(`knockgate_${policy}`);
}

/** Names the kernel's set for one address family. */
export function familySetName(set: string, family: Family): string {
  return identifier(`${set}_${family === "ipv4" ? "v4" : "v6"}`);
}

/** Prints a ruleset as one nftables table: the same ruleset gives the same bytes. */
export function renderNftables(ruleset: Ruleset, showPort: ShowPort = (step) => `${step.port}`): string {
  const setByName = new Map(ruleset.sets.map((set) => [set.name, set]));
  const blocks = [
    ...ruleset.sets.flatMap((set) => families.map((family) => renderSet(set, family))),
    ...ruleset.chains.map((chain) => renderChain(chain, setByName, showPort)),
  ];
  return `table inet ${tableName(ruleset.policy)} {\n${blocks.join("\n")}}\n`;
}

/** What of a set can't be changed while it is loaded. */
export function setShape(set: SourceSet, family: Family): { readonly type: string; readonly size: number } {
  const address = family === "ipv4" ? "ipv4_addr" : "ipv6_addr";
  return { type: set.key === "source" ? address : `${address} . inet_service`, size: setSize };
}

function renderSet(set: SourceSet, family: Family): string {
  const { type, size } = setShape(set, family);
  return block(`set ${familySetName(set.name, family)}`, [
    `type ${type}`,
    `size ${size}`,
    "flags dynamic,timeout",
  ]);
}

function renderChain(chain: Chain, sets: ReadonlyMap<string, SourceSet>, showPort: ShowPort): string {
  const hook =
    chain.name === "input"
      ? [`type filter hook ${baseChain.hook} priority filter - ${-baseChain.priority}; policy accept;`]
      : [];
  const rules = chain.rules.flatMap((rule) => renderRule(rule, sets, showPort));
  return block(`chain ${identifier(chain.name)}`, [...hook, ...rules]);
}

function block(head: string, lines: readonly string[]): string {
  return `\t${head} {\n${lines.map((line) => `\t\t${line}\n`).join("")}\t}\n`;
}

/** A rule that looks at the source's address becomes two; the kernel checks the family of each by itself. */
function renderRule(rule: Rule, sets: ReadonlyMap<string, SourceSet>, showPort: ShowPort): readonly string[] {
  const verdict = rule.verdict === undefined ? [] : [renderVerdict(rule.verdict)];
  const comment = rule.comment === undefined ? [] : [`comment ${quoteNftables(rule.comment)}`];
  return familiesOf(rule).map((family) =>
    [
      ...rule.matches.map((match) => renderMatch(match, family ?? "ipv4", sets, showPort)),
      ...rule.effects.map((effect) => renderEffect(effect, family ?? "ipv4", sets)),
      ...verdict,
      ...comment,
    ].join(" "),
  );
}

/** `[undefined]`: the rule is the same for both families and is printed once. */
function familiesOf(rule: Rule): readonly (Family | undefined)[] {
  for (const match of rule.matches) {
    if (match.kind === "fromPrefixes") {
      return families.filter((family) => match.prefixes.some((prefix) => prefix.family === family));
    }
    if (match.kind === "inSet" || match.kind === "notInSet" || match.kind === "beginsEcho") return families;
  }
  return rule.effects.length > 0 ? families : [undefined];
}

function renderMatch(
  match: Match,
  family: Family,
  sets: ReadonlyMap<string, SourceSet>,
  showPort: ShowPort,
): string {
  const saddr = family === "ipv4" ? "ip saddr" : "ip6 saddr";
  switch (match.kind) {
    case "loopback":
      return 'iif "lo"';
    case "fromPrefixes":
      return `${saddr} ${braces(match.prefixes.filter((prefix) => prefix.family === family).map(formatPrefix))}`;
    case "beginsTcp":
      return "tcp flags & (syn | ack | rst) == syn";
    case "beginsUdp":
      // conntrack is also what puts IPv6 fragments together before our chain: without it, a SYN in fragments would
      // pass unseen (kernel net/ipv6/netfilter/nf_defrag_ipv6_hooks.c). So this match is in every ruleset.
      return "meta l4proto udp ct state != { established, related }";
    case "beginsEcho":
      return `${family === "ipv4" ? "icmp" : "icmpv6"} type echo-request ct state new`;
    case "toPorts":
      return `${match.protocol} dport ${braces(match.ranges.map(formatPortRange))}`;
    case "step":
      return `${match.step.protocol} dport ${showPort(match.step)}`;
    case "inSet":
      return `${renderKey(sets, match.set, family)} @${familySetName(match.set, family)}`;
    case "notInSet":
      return `${renderKey(sets, match.set, family)} != @${familySetName(match.set, family)}`;
    default:
      return unreachable(match);
  }
}

/** The timeout stands in the rule, not in the set: so a set stays as it is, and doors stay open, when times change. */
function renderEffect(effect: Effect, family: Family, sets: ReadonlyMap<string, SourceSet>): string {
  const key = renderKey(sets, effect.set, family);
  const name = familySetName(effect.set, family);
  switch (effect.kind) {
    case "put":
      return `update @${name} { ${key} timeout ${sets.get(effect.set)?.timeoutSeconds}s }`;
    case "take":
      return `delete @${name} { ${key} }`;
    default:
      return unreachable(effect);
  }
}

function renderKey(sets: ReadonlyMap<string, SourceSet>, name: string, family: Family): string {
  const saddr = family === "ipv4" ? "ip saddr" : "ip6 saddr";
  return sets.get(name)?.key === "packet" ? `${saddr} . th sport` : saddr;
}

function renderVerdict(verdict: Verdict): string {
  switch (verdict.kind) {
    case "accept":
    case "drop":
    case "return":
      return verdict.kind;
    case "go":
      return `goto ${identifier(verdict.chain)}`;
    case "call":
      return `jump ${identifier(verdict.chain)}`;
    default:
      return unreachable(verdict);
  }
}

function braces(items: readonly string[]): string {
  return items.length === 1 ? `${items[0]}` : `{ ${items.join(", ")} }`;
}
