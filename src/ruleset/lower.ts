import type { Gate, Policy } from "../policy/policy.js";
import { mergePortRanges, type Protocol, protocols } from "../policy/port.js";
import { mergePrefixes, readPrefixes } from "../policy/prefix.js";
import { listProtected } from "../policy/protect.js";
import { type Step, stepKinds, stepProtocols } from "../policy/step.js";
import type { Abilities } from "./abilities.js";
import { type LoweredKnocks, lowerKnocks } from "./lower-dispatch.js";
import { counterNames, lowerEvent } from "./lower-event.js";
import type { Chain, DispatchEntry, Match, Rule, Ruleset, Verdict } from "./ruleset.js";
import { openSet } from "./set-names.js";

/** Decides, once for all backends, which packets a policy accepts, drops and counts as steps. */
export function lowerPolicy(policy: Policy, abilities: Abilities): Ruleset {
  const knocks = lowerKnocks(policy, abilities);
  return {
    policy: policy.name,
    scope: policy.scope,
    sets: knocks.sets,
    counters: policy.gates.flatMap((gate) => counterNames(gate.name)),
    chains: [
      ...lowerSorting(policy, knocks, abilities),
      ...lowerDenied(policy),
      ...policy.gates.map((gate) => lowerDoor(policy, gate)),
      ...knocks.chains,
    ],
  };
}

/**
 * Lowers the chains that sort packets. Only a packet that could begin a connection is looked at further. Of TCP, only a
 * SYN is gated, and not each packet that conntrack does not know. This keeps sessions alive that conntrack never saw:
 * those that were idle at the first load. A stealthy policy gates everything that is not established, so a gated port
 * never answers.
 *
 * If no door is for a packet's kind, the packet is only looked up: its source among those that are knocking, and the
 * packet among the first steps.
 */
function lowerSorting(policy: Policy, knocks: LoweredKnocks, abilities: Abilities): readonly Chain[] {
  const gated = [...lowerSources(policy), ...knocks.shared, ...dispatchProtected(policy, "door")];
  const gatedKinds = policy.stealth ? [] : stepKinds.filter((kind) => isGated(policy, knocks, kind));
  const others = stepKinds.filter((kind) => !gatedKinds.includes(kind));
  const begins = knocks.begins.map(({ rule }) => rule);
  const { isKnocking } = knocks;
  const goIfKnocking = (chain: string): readonly Rule[] =>
    isKnocking === undefined ? [] : [decide([isKnocking], { kind: "go", chain })];
  const sorted = [
    ...lowerRelated(policy, abilities),
    ...(others.length === 0 ? [] : goIfKnocking("knocking")),
    ...knocks.begins
      .filter(({ kind }) => others.includes(kind))
      .map(({ kind, isAlike }) =>
        goesFirst[kind] ? goIf(kind, "beginning") : decide([isAlike], { kind: "go", chain: "beginning" }),
      ),
  ];
  const chains: readonly Chain[] = [
    ...(policy.stealth
      ? [
          { name: "input", rules: [...lowerPassing(policy, "gates"), goAlways("gates")] },
          { name: "gates", rules: [...lowerToOthers(policy), ...gated, ...sorted] },
          { name: "beginning", rules: begins },
        ]
      : [
          {
            name: "input",
            rules: [
              ...lowerPassing(policy, "beginning"),
              ...gatedKinds.filter((kind) => !goesFirst[kind]).map((kind) => goIf(kind, "beginning")),
              ...lowerToOthers(policy),
              ...sorted,
            ],
          },
          {
            name: "beginning",
            rules: [...lowerToOthers(policy), ...gated, ...goIfKnocking("knocks"), ...begins],
          },
        ]),
    { name: "knocking", rules: isKnocking === undefined ? [] : others.map((kind) => goIf(kind, "knocks")) },
  ];
  return chains.filter(({ rules }) => rules.length > 0);
}

/** Kinds of packets that go to the gates before conntrack is asked, see {@link lowerPassing}. */
const goesFirst: Readonly<Record<Step["kind"], boolean>> = { tcp: true, udp: false, icmpEcho: false };

/** What matches all packets of a kind. */
const matchOf: Readonly<Record<Step["kind"], Match>> = {
  tcp: { kind: "beginsTcp" },
  udp: { kind: "udp" },
  icmpEcho: { kind: "icmpEcho" },
};

/** Whether a packet of this kind may go to a door, or may be the only step of a gate. */
function isGated(policy: Policy, knocks: LoweredKnocks, kind: Step["kind"]): boolean {
  const protocol = stepProtocols[kind];
  const isStep = (match: Match) => match.kind === "step" && match.step.packet.kind === kind;
  return (
    goesFirst[kind] ||
    knocks.shared.some(({ matches }) => matches.some(isStep)) ||
    policy.gates.some((gate) => protocol !== undefined && listProtected(gate, protocol).length > 0)
  );
}

function goAlways(chain: string): Rule {
  return decide([], { kind: "go", chain });
}

function goIf(kind: Step["kind"], chain: string): Rule {
  return decide([matchOf[kind]], { kind: "go", chain });
}

/**
 * Returns the verdict that lets a packet pass. In iptables, an accept ends the table for the packet. At input, that is
 * what the recipe does. At prerouting, it would take forwarded packets past the marks and the routing of others.
 */
function passOn(policy: Policy): Verdict {
  return { kind: policy.scope === "prerouting" ? "return" : "accept" };
}

/**
 * Passes the packets that no gate looks at. A SYN goes to the gates before conntrack is asked, because conntrack also
 * says `established` of some SYNs: those from the ports of a connection that was reset, that one end forgot without
 * notice, or that the host itself began (the transitions of SYN in kernel net/netfilter/nf_conntrack_proto_tcp.c).
 */
function lowerPassing(policy: Policy, gates: string): readonly Rule[] {
  return [
    decide([{ kind: "loopback" }], passOn(policy)),
    goIf("tcp", gates),
    decide([{ kind: "established" }], passOn(policy)),
  ];
}

function lowerToOthers(policy: Policy): readonly Rule[] {
  return policy.scope === "prerouting" ? [decide([{ kind: "toOthers" }], passOn(policy))] : [];
}

/**
 * A related packet may begin a connection, too: one that a conntrack helper expects. So it meets the gates first. The
 * other related packets, mostly errors about known connections, pass without a rule. Where an accept ends the table
 * (iptables), they are accepted as the recipe does.
 */
function lowerRelated(policy: Policy, { hasFinalAccept }: Abilities): readonly Rule[] {
  return hasFinalAccept && policy.scope === "input" ? [decide([{ kind: "related" }], passOn(policy))] : [];
}

/**
 * A denied source finds every door closed, and none of its packets is a step. An allowed source never needs to knock.
 */
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

/**
 * Sends a packet to a protected port to its gate's door. Such a packet is never a step. Any other packet goes on to the
 * next rule.
 */
function dispatchProtected(policy: Policy, to: "door" | "closed"): readonly Rule[] {
  return protocols.flatMap((protocol) => {
    const entries = policy.gates.flatMap((gate) => listEntries(gate, protocol, `${gate.name}_${to}`));
    const list = to === "door" ? "doors" : "closed";
    return entries.length === 0 ? [] : [decide([], { kind: "dispatch", protocol, entries, list })];
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
