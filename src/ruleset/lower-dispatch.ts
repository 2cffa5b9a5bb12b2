import { isSequenceGate } from "../policy/knock.js";
import type { PlacedPolicy } from "../policy/policy-path.js";
import { stepKinds } from "../policy/step.js";
import type { Abilities } from "./abilities.js";
import type { Begin } from "./begin.js";
import { callBegin, dispatchBegins, findDirect, forgetAndBegin } from "./lower-begins.js";
import { lowerGroups } from "./lower-groups.js";
import { isOneRule, lowerSequence } from "./lower-sequence.js";
import { lowerMidKnock } from "./lower-sets.js";
import { decide } from "./make-rule.js";
import type { Chain, Match, Rule, SourceSet, StepEntry } from "./ruleset.js";
import { midKnockSet, progressSet } from "./set-names.js";
import { hasProgress, listStepMatches, type PlacedSequence } from "./step-match.js";

/** The most gates to which a packet of a source in mid-knock goes one by one. */
const mostInLine = 5;

/** The sequences of all gates, and the rules that bring packets to them. */
export interface LoweredDispatch {
  readonly sets: readonly SourceSet[];
  /** Rules of knocks that have no chain of their own. They stand before the rules that lead to the doors. */
  readonly shared: readonly Rule[];
  /**
   * Matches a packet whose source may be in mid-knock. Such a packet goes to the chain `sequences`. `undefined`: no
   * source ever is in mid-knock.
   */
  readonly isMidKnock: Match | undefined;
  /**
   * For each kind of first step: the rule that sends such packets, from sources that are not in mid-knock, to the
   * right gates.
   */
  readonly begins: readonly Begin[];
  readonly chains: readonly Chain[];
}

/**
 * Sorts packets before any gate sees them. A packet that concerns no gate costs the same for any number of gates: its
 * source is looked up among the sources in mid-knock, and the packet among the first steps.
 *
 * A packet of a source in mid-knock goes to each gate of a few. If there are many gates, it goes to those of which it may
 * be a step, and is put back to the start at the others where its source is. These are found by groups.
 *
 * A source that is not known to be in mid-knock has taken no step that counts. Where a full set takes no new source,
 * the first step of that source is not taken either. Where a full set forgets its oldest source (xt_recent), a flood at
 * one gate makes the kernel forget who is in mid-knock at another. There, a source that begins is first put back to the
 * start at all gates. A source that was forgotten can neither go on nor guess on.
 */
export function lowerDispatch(policy: PlacedPolicy, abilities: Abilities): LoweredDispatch {
  const { refusesWhenFull, hasSizedSets, hasVerdictMaps } = abilities;
  const gates = policy.gates.filter(isSequenceGate);
  const sorted = gates.filter((gate) => !isOneRule(policy, gate));
  const between = sorted.filter(hasProgress);
  const midKnock =
    between.length === 0
      ? undefined
      : lowerMidKnock(policy, midKnockSet(hasSizedSets ? between.length : undefined), between);
  const isSorted = refusesWhenFull && hasVerdictMaps && sorted.length > mostInLine;
  const isDispatched = isSorted || (midKnock !== undefined && refusesWhenFull && hasVerdictMaps);
  const groups = lowerGroups(policy, isSorted ? between.filter(isStrict) : []);
  const direct = findDirect(sorted);
  const knocks = gates.map((gate) => {
    const sets = midKnock === undefined ? [] : [midKnock.name, ...(groups.setsOf.get(gate.name) ?? [])];
    return lowerSequence(policy, gate, { midKnock: sets, isMatched: gate === direct, isSorted });
  });
  const all = { name: isSorted ? "all_sequences" : "sequences", from: [], rules: sorted.map(callKnock) };
  const begins = isDispatched ? dispatchBegins(sorted, all.name) : forgetAndBegin(sorted);
  const dispatched = {
    name: "sequences",
    from: [],
    rules: [...dispatchSteps(sorted, all.name), ...groups.rules],
  };
  return {
    sets: [
      ...(midKnock === undefined ? [] : [midKnock]),
      ...groups.sets,
      ...knocks.flatMap(({ sets }) => sets),
    ],
    shared: knocks.flatMap(({ shared }) => shared),
    isMidKnock: midKnock && { kind: "inSet", set: midKnock.name },
    begins: begins.begins,
    chains: [
      ...(isSorted && midKnock !== undefined ? [dispatched] : []),
      ...(isDispatched || midKnock !== undefined ? [all] : []),
      ...groups.chains,
      ...(isSorted ? between.filter(isStrict).map((gate) => lowerOwn(gate, groups.rules)) : []),
      ...begins.chains,
      ...knocks.flatMap(({ chains }) => chains),
    ],
  };
}

/**
 * Sends a packet to the gate of which it looks like a step, and then to the gates that it may put back to the start. If
 * several gates have the step, all gates see the packet.
 */
function dispatchSteps(gates: readonly PlacedSequence[], all: string): readonly Rule[] {
  const entries = gates.flatMap((gate) => {
    const target: Omit<StepEntry, "step"> =
      hasProgress(gate) && isStrict(gate)
        ? { how: "goto", chain: `${gate.name}_steps`, ifShared: `${gate.name}_sequence` }
        : { how: "jump", chain: hasProgress(gate) ? `${gate.name}_sequence` : `${gate.name}_first_step` };
    return listStepMatches(gate).map((step): StepEntry => ({ step, ...target }));
  });
  return stepKinds
    .filter((stepKind) => entries.some(({ step }) => step.packet.kind === stepKind))
    .map((stepKind) => decide([], [], { kind: "dispatchSteps", stepKind, entries, all }));
}

/**
 * Lowers the chain for packets that look like a step of one strict gate, if no other gate has a step like one of them. A
 * source that is in mid-knock at this gate is so at no other strict gate, because its last packet was a step here. So
 * only another source's packet goes on to the other gates.
 */
function lowerOwn(gate: PlacedSequence, others: readonly Rule[]): Chain {
  const from = [gate.paths.strict];
  const goOn = gate.knock.steps.slice(0, -1).map((_, index) =>
    decide(from, [{ kind: "inSet", set: progressSet(gate.name, index + 1) }], {
      kind: "goto",
      chain: `${gate.name}_sequence`,
    }),
  );
  return { name: `${gate.name}_steps`, from, rules: [...goOn, callBegin(gate), ...others] };
}

function callKnock(gate: PlacedSequence): Rule {
  return hasProgress(gate)
    ? decide([gate.paths.gate], [], { kind: "jump", chain: `${gate.name}_sequence` })
    : callBegin(gate);
}

function isStrict({ knock }: PlacedSequence): boolean {
  return knock.strict;
}
