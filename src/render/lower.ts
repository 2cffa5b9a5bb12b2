import { listProtected } from "../policy/gate.js";
import { mergePortRanges, type Protocol, protocols } from "../policy/port.js";
import { mergePrefixes, readPrefixes } from "../policy/prefix.js";
import type { Gate, Policy } from "../policy/schema.js";
import { counterNames, lowerEvent } from "./lower-event.js";
import { isOneRule, lowerKnock, toStepMatch } from "./lower-knock.js";
import type { Chain, DispatchEntry, Match, Rule, Ruleset, SourceSet, Verdict } from "./ruleset.js";
import { knockingSet, openSet } from "./set-names.js";

/** Decides, once for all backends, which packets a policy lets pass, drops and counts as steps. */
export function lowerPolicy(policy: Policy): Ruleset {
  const sorted = listSorted(policy);
  const isSorted = sorted.length > 0;
  const knocking = knockingSources(policy, sorted);
  const knocks = policy.gates.map((gate) => lowerKnock(policy, gate, knocking?.name));
  const gated = [
    ...lowerSources(policy),
    ...knocks.flatMap((knock) => knock.shared),
    ...dispatchProtected(policy, "door"),
  ];
  const calls = knocks.flatMap((knock) =>
    knock.chains.map(({ name }) => decide([], { kind: "call", chain: name })),
  );
  const sorting = isSorted ? lowerSorting(sorted, knocking) : calls;
  return {
    policy: policy.name,
    scope: policy.scope,
    sets: [...(knocking === undefined ? [] : [knocking]), ...knocks.flatMap((knock) => knock.sets)],
    counters: policy.gates.flatMap((gate) => counterNames(gate.name)),
    chains: [
      ...(policy.stealth
        ? lowerStealthy(policy, gated, sorting)
        : lowerOpenly(policy, [...gated, ...sorting])),
      ...(isSorted ? [{ name: "knocks", rules: calls }] : []),
      ...lowerDenied(policy),
      ...policy.gates.map((gate) => lowerDoor(policy, gate)),
      ...knocks.flatMap((knock) => knock.chains),
    ],
  };
}

/** So few gates cost a packet less than what would keep it from them, or little more; their rulesets are those of 0.1.0. */
const mostUnsorted = 2;

/**
 * The gates whose chains see only packets that are some gate's first step, or come from a source that is knocking: all
 * others cost the same for any number of gates. None with xt_recent, whose lists hold a hundred sources: one for all gates
 * would forget who knocks at one of them for a flood at another.
 */
function listSorted(policy: Policy): readonly Gate[] {
  const gates = policy.gates.filter((gate) => !isOneRule(policy, gate));
  return policy.backend === "nftables" && gates.length > mostUnsorted ? gates : [];
}

/** It remembers a second longer than a source can be in mid-sequence, and no flood at one gate takes the others' places. */
function knockingSources({ limits }: Policy, sorted: readonly Gate[]): SourceSet | undefined {
  const gates = sorted.filter(({ knock }) => knock.steps.length > 1);
  if (gates.length === 0) return undefined;
  const timeoutSeconds = 1 + Math.max(...gates.map(({ knock }) => knock.stepTimeoutSeconds));
  const size = limits.sources * gates.length;
  return { name: knockingSet(gates.length), key: "source", role: "progress", timeoutSeconds, size };
}

function lowerSorting(sorted: readonly Gate[], knocking: SourceSet | undefined): readonly Rule[] {
  const first = sorted.flatMap(({ name, knock }) => {
    return knock.steps.slice(0, 1).map((step) => toStepMatch(name, step, 1));
  });
  const alike = (["tcp", "udp", "echo"] as const)
    .map((kind) => first.filter(({ packet }) => packet.kind === kind))
    .filter((steps) => steps.length > 0)
    .map((steps) => decide([{ kind: "likeStep", steps }], { kind: "go", chain: "knocks" }));
  const inSequence =
    knocking === undefined
      ? []
      : [decide([{ kind: "inSet", set: knocking.name }], { kind: "go", chain: "knocks" })];
  return [...inSequence, ...alike];
}

/**
 * Only what could begin something is looked at further. Gating TCP's first SYN, and not all that conntrack does not
 * know, keeps sessions alive that conntrack never saw: those idle at the first load.
 */
function lowerOpenly(policy: Policy, beginning: readonly Rule[]): readonly Chain[] {
  return [
    { name: "input", rules: [...lowerPassing(policy), ...goIf(["beginsTcp", "udp", "echo"], "beginning")] },
    { name: "beginning", rules: beginning },
  ];
}

/** All that is not established is gated, so that a gated port answers nothing at all. */
function lowerStealthy(policy: Policy, gated: readonly Rule[], calls: readonly Rule[]): readonly Chain[] {
  const passing = lowerPassing(policy);
  if (calls.length === 0) return [{ name: "input", rules: [...passing, ...gated] }];
  return [
    { name: "input", rules: [...passing, ...gated, ...goIf(["beginsTcp", "udp", "echo"], "beginning")] },
    { name: "beginning", rules: calls },
  ];
}

/**
 * How a packet passes. In iptables an accept ends the table for it: that is what the recipe does at input, and what
 * would take forwarded packets past everybody's marks and routing at prerouting.
 */
function passOn(policy: Policy): Verdict {
  return { kind: policy.scope === "prerouting" ? "return" : "accept" };
}

/** What no gate ever looks at. */
function lowerPassing(policy: Policy): readonly Rule[] {
  return [
    decide([{ kind: "loopback" }], passOn(policy)),
    decide([{ kind: "established" }], passOn(policy)),
    ...(policy.scope === "prerouting" ? [decide([{ kind: "toOthers" }], passOn(policy))] : []),
  ];
}

function goIf(kinds: readonly ("beginsTcp" | "udp" | "echo")[], chain: string): readonly Rule[] {
  return kinds.map((kind) => decide([{ kind }], { kind: "go", chain }));
}

/** A denied source finds every door closed, and nothing it sends is a step; an allowed one never needs to knock. */
function lowerSources(policy: Policy): readonly Rule[] {
  return [
    ...lowerPrefixes(policy.denyFrom, "denyFrom", { kind: "go", chain: "denied" }),
    ...lowerPrefixes(policy.allowFrom, "allowFrom", { kind: "return" }),
  ];
}

function lowerPrefixes(texts: readonly string[], comment: string, verdict: Verdict): readonly Rule[] {
  const prefixes = mergePrefixes(readPrefixes(texts));
  return prefixes.length === 0 ? [] : [{ ...decide([{ kind: "fromPrefixes", prefixes }], verdict), comment }];
}

function lowerDenied(policy: Policy): readonly Chain[] {
  if (policy.denyFrom.length === 0) return [];
  return [
    { name: "denied", rules: dispatchProtected(policy, "closed") },
    ...policy.gates.map((gate) => ({ name: `${gate.name}_closed`, rules: lowerClosed(policy, gate) })),
  ];
}

/** A protected port's packet meets its gate's door and is never a step; any other one meets every gate's knock. */
function dispatchProtected(policy: Policy, to: "door" | "closed"): readonly Rule[] {
  return protocols.flatMap((protocol) => {
    const entries = policy.gates.flatMap((gate) => listEntries(gate, protocol, `${gate.name}_${to}`));
    return entries.length === 0 ? [] : [decide([], { kind: "dispatch", protocol, entries })];
  });
}

function listEntries(gate: Gate, protocol: Protocol, chain: string): readonly DispatchEntry[] {
  return mergePortRanges(listProtected(gate, protocol)).map((range) => ({ range, chain }));
}

function lowerDoor(policy: Policy, gate: Gate): Chain {
  const isOpen: readonly Match[] = [{ kind: "inSet", set: openSet(gate.name) }];
  return {
    name: `${gate.name}_door`,
    rules: [
      ...lowerEvent(policy, gate.name, "accepted", {
        matches: isOpen,
        effects: [],
        verdict: passOn(policy),
      }),
      ...lowerClosed(policy, gate),
    ],
  };
}

function lowerClosed(policy: Policy, gate: Gate): readonly Rule[] {
  return lowerEvent(policy, gate.name, "dropped", { matches: [], effects: [], verdict: { kind: "drop" } });
}

function decide(matches: readonly Match[], verdict: Verdict): Rule {
  return { matches, effects: [], verdict };
}
