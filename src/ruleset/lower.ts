import { isTokenGate, stepsOf } from "../policy/knock.js";
import type { Gate, Policy } from "../policy/policy.js";
import { type PlacedPolicy, placeGates } from "../policy/policy-path.js";
import { mergePrefixes, readPrefixes } from "../policy/prefix.js";
import { listProtected } from "../policy/protect.js";
import { type Step, stepKinds, stepProtocols } from "../policy/step.js";
import type { Abilities } from "./abilities.js";
import type { Begin } from "./begin.js";
import { type LoweredDispatch, lowerDispatch } from "./lower-dispatch.js";
import { dispatchProtected, lowerDenied, lowerDoor, passOn } from "./lower-doors.js";
import { lowerCounters } from "./lower-event.js";
import { lowerOpen } from "./lower-sets.js";
import { lowerTokens } from "./lower-tokens.js";
import { decide } from "./make-rule.js";
import type { Chain, Match, Paths, Rule, Ruleset, Verdict } from "./ruleset.js";

/**
 * Decides, once for all backends, which packets a policy accepts, drops and counts as steps. Each part of the result
 * says which parts of the policy it comes from.
 */
export function lowerPolicy(unplaced: Policy, abilities: Abilities): Ruleset {
  const policy = placeGates(unplaced);
  const knocks = lowerDispatch(policy, abilities);
  const tokens = lowerTokens(policy, abilities);
  return {
    policy: policy.name,
    scope: policy.scope,
    sets: [...knocks.sets, ...policy.gates.filter(isTokenGate).map((gate) => lowerOpen(policy, gate))],
    tokenSets: tokens.sets,
    counters: [...policy.gates.flatMap(lowerCounters), ...tokens.counters],
    chains: [
      ...lowerSorting(policy, knocks, tokens.begins, abilities),
      ...lowerDenied(policy),
      ...policy.gates.map((gate) => lowerDoor(policy, gate)),
      ...knocks.chains,
      ...tokens.chains,
    ],
  };
}

/**
 * Lowers the chains that sort packets. Only a packet that could begin a connection is looked at further. Of TCP, only a
 * SYN is gated, and not each packet that conntrack does not know. This keeps sessions alive that conntrack never saw:
 * those that were idle at the first load. A stealthy policy gates everything that is not established, so a gated port
 * never answers.
 *
 * If no door is for a packet's kind, the packet is only looked up: its source among those in mid-knock, and the
 * packet among the first steps.
 *
 * What comes from `stealth` is what would differ without it. A rule that would only stand in another chain does not.
 */
function lowerSorting(
  policy: PlacedPolicy,
  knocks: LoweredDispatch,
  tokens: readonly Begin[],
  abilities: Abilities,
): readonly Chain[] {
  const gated = [...lowerSources(policy), ...knocks.shared, ...dispatchProtected(policy, "door", [])];
  const doorKinds = stepKinds.filter((kind) => isGated(policy, knocks, kind));
  const gatedKinds = policy.stealth ? [] : doorKinds;
  const others = stepKinds.filter((kind) => !gatedKinds.includes(kind));
  const stealth: Paths = ["stealth"];
  // Kinds that have doors are only looked up if the policy is stealthy.
  const lookUpFrom = (...kinds: readonly Step["kind"][]): Paths =>
    kinds.every((kind) => doorKinds.includes(kind)) ? stealth : [];
  const firstSteps = knocks.begins.map(({ rule }) => rule);
  const rightTokens = tokens.map(({ rule }) => rule);
  const { isMidKnock } = knocks;
  const goIfMidKnock = (chain: string, from: Paths): readonly Rule[] =>
    isMidKnock === undefined ? [] : [decide(from, [isMidKnock], { kind: "goto", chain })];
  const lookUp = (begins: readonly Begin[]): readonly Rule[] =>
    begins
      .filter(({ kind }) => others.includes(kind))
      .map(({ kind, from, match }) =>
        decide([...lookUpFrom(kind), ...from], [goesFirst[kind] ? matchOf[kind] : match], {
          kind: "goto",
          chain: "new_connections",
        }),
      );
  const sorted = [
    ...lowerRelated(policy, abilities),
    ...lookUp(tokens),
    ...(others.length === 0 ? [] : goIfMidKnock("mid_knock", lookUpFrom(...others))),
    ...lookUp(knocks.begins),
  ];
  const goGated = (kind: Step["kind"]): Rule =>
    goIf(kind, "new_connections", [...stealth, ...listGated(policy, kind)]);
  const chains: readonly Chain[] = [
    ...(policy.stealth
      ? [
          {
            name: "input",
            from: [],
            rules: [...lowerPassing(policy, goIf("tcp", "gates", stealth)), goAlways("gates", stealth)],
          },
          { name: "gates", from: stealth, rules: [...lowerNotLocal(policy), ...gated, ...sorted] },
          { name: "new_connections", from: [], rules: [...rightTokens, ...firstSteps] },
        ]
      : [
          {
            name: "input",
            from: [],
            rules: [
              ...lowerPassing(policy, goGated("tcp")),
              ...gatedKinds.filter((kind) => !goesFirst[kind]).map(goGated),
              ...lowerNotLocal(policy),
              ...sorted,
            ],
          },
          {
            name: "new_connections",
            from: firstSteps.length === 0 ? stealth : [],
            rules: [
              ...lowerNotLocal(policy),
              ...gated,
              ...rightTokens,
              ...goIfMidKnock("sequences", stealth),
              ...firstSteps,
            ],
          },
        ]),
    {
      name: "mid_knock",
      from: lookUpFrom(...others),
      rules: isMidKnock === undefined ? [] : others.map((kind) => goIf(kind, "sequences", lookUpFrom(kind))),
    },
  ];
  return chains.filter(({ rules }) => rules.length > 0);
}

/** Kinds of packets that go to the gates before conntrack is asked, see {@link lowerPassing}. */
const goesFirst: Readonly<Record<Step["kind"], boolean>> = { tcp: true, udp: false, icmpEcho: false };

/** What matches all packets of a kind. */
const matchOf: Readonly<Record<Step["kind"], Match>> = {
  tcp: { kind: "tcpSyn" },
  udp: { kind: "udp" },
  icmpEcho: { kind: "icmpEcho" },
};

/** Whether a packet of this kind may go to a door, or may be the only step of a gate. */
function isGated(policy: Policy, knocks: LoweredDispatch, kind: Step["kind"]): boolean {
  const isStep = (match: Match) => match.kind === "step" && match.step.packet.kind === kind;
  return (
    goesFirst[kind] ||
    knocks.shared.some(({ matches }) => matches.some(isStep)) ||
    policy.gates.some((gate) => isProtectedKind(gate, kind))
  );
}

/** Lists the gates whose doors a packet of this kind may go to, or whose knocks it may begin. */
function listGated({ gates }: PlacedPolicy, kind: Step["kind"]): Paths {
  return gates
    .filter((gate) => isProtectedKind(gate, kind) || stepsOf(gate)[0]?.kind === kind)
    .map(({ paths }) => paths.gate);
}

function isProtectedKind(gate: Gate, kind: Step["kind"]): boolean {
  const protocol = stepProtocols[kind];
  return protocol !== undefined && listProtected(gate, protocol).length > 0;
}

function goAlways(chain: string, from: Paths): Rule {
  return decide(from, [], { kind: "goto", chain });
}

function goIf(kind: Step["kind"], chain: string, from: Paths): Rule {
  return decide(from, [matchOf[kind]], { kind: "goto", chain });
}

/**
 * Passes the packets that no gate looks at. A SYN goes to the gates before conntrack is asked, because conntrack also
 * says `established` of some SYNs: those from the ports of a connection that was reset, that one end forgot without
 * notice, or that the host itself began (the transitions of SYN in kernel net/netfilter/nf_conntrack_proto_tcp.c).
 */
function lowerPassing(policy: Policy, goToGates: Rule): readonly Rule[] {
  return [
    decide([], [{ kind: "loopback" }], passOn(policy)),
    goToGates,
    decide([], [{ kind: "established" }], passOn(policy)),
  ];
}

function lowerNotLocal(policy: Policy): readonly Rule[] {
  return policy.scope === "prerouting" ? [decide([], [{ kind: "notLocal" }], passOn(policy))] : [];
}

/**
 * A related packet may begin a connection, too: one that a conntrack helper expects. So it meets the gates first. The
 * other related packets, mostly errors about known connections, pass without a rule. Where an accept ends the table
 * (iptables), they are accepted as the recipe does.
 */
function lowerRelated(policy: Policy, { hasFinalAccept }: Abilities): readonly Rule[] {
  const isFinal = hasFinalAccept && policy.scope === "input";
  return isFinal ? [decide([], [{ kind: "related" }], passOn(policy))] : [];
}

/**
 * A denied source finds every door closed, and none of its packets is a step. An allowed source never needs to knock.
 */
function lowerSources(policy: Policy): readonly Rule[] {
  return [
    ...lowerPrefixes(policy.denyFrom, "denyFrom", { kind: "goto", chain: "denied" }),
    ...lowerPrefixes(policy.allowFrom, "allowFrom", { kind: "return" }),
  ];
}

function lowerPrefixes(
  texts: readonly string[],
  field: "denyFrom" | "allowFrom",
  verdict: Verdict,
): readonly Rule[] {
  const prefixes = mergePrefixes(readPrefixes(texts));
  if (prefixes.length === 0) return [];
  return [{ ...decide([field], [{ kind: "fromPrefixes", prefixes }], verdict), comment: field }];
}
