import { unreachable } from "../errors.js";
import { isSequenceGate, type SequenceGate } from "../policy/knock.js";
import type { Policy } from "../policy/policy.js";
import type { PlacedGate, PlacedPolicy } from "../policy/policy-path.js";
import { type Step, stepKinds } from "../policy/step.js";
import type { Abilities } from "./abilities.js";
import type { Begin } from "./begin.js";
import { isOneRule, lowerSequence, toStepMatch } from "./lower-sequence.js";
import { decide } from "./make-rule.js";
import type { Chain, Match, Rule, SourceSet, StepEntry, StepMatch, Verdict } from "./ruleset.js";
import { midKnockSet, progressSet } from "./set-names.js";

type PlacedSequence = PlacedGate & SequenceGate;

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
 * A source that is not known to be in mid-knock has taken no step that counts. Where a full set takes no new source,
 * the first step of that source is not taken either. Where a full set forgets its oldest source (xt_recent), a flood at
 * one gate makes the kernel forget who is in mid-knock at another. There, a source that begins is first put back to the
 * start at all gates. A source that was forgotten can neither go on nor guess on.
 */
export function lowerDispatch(policy: PlacedPolicy, abilities: Abilities): LoweredDispatch {
  const gates = policy.gates.filter(isSequenceGate);
  const sorted = gates.filter((gate) => !isOneRule(policy, gate));
  const midKnock = midKnockSources(policy, sorted, abilities);
  const direct = findDirect(sorted);
  const knocks = gates.map((gate) => {
    return lowerSequence(policy, gate, { midKnock: midKnock?.name, isMatched: gate === direct });
  });
  const begins = lowerBegins(sorted, direct, midKnock !== undefined && canDispatch(abilities));
  const all = { name: "sequences", from: [], rules: sorted.map(callKnock) };
  return {
    sets: [...(midKnock === undefined ? [] : [midKnock]), ...knocks.flatMap(({ sets }) => sets)],
    shared: knocks.flatMap(({ shared }) => shared),
    isMidKnock: midKnock && { kind: "inSet", set: midKnock.name },
    begins: begins.begins,
    chains: [
      ...(midKnock === undefined ? [] : [all]),
      ...begins.chains,
      ...knocks.flatMap(({ chains }) => chains),
    ],
  };
}

/**
 * The set keeps a source one second longer than the source can be in mid-knock. It has room for `limits.sources` of
 * each gate, and for another `limits.sources` that are no longer in mid-knock. So a gate's own sets are full before
 * this set is, unless another gate has a much longer timeout.
 */
function midKnockSources(
  { limits }: Policy,
  sorted: readonly PlacedSequence[],
  { hasSizedSets }: Abilities,
): SourceSet | undefined {
  const gates = sorted.filter(hasProgress);
  if (gates.length === 0) return undefined;
  return {
    name: midKnockSet(hasSizedSets ? gates.length : undefined),
    from: gates.map(({ paths }) => paths.gate),
    key: "source",
    role: "progress",
    timeoutSeconds: 1 + Math.max(...gates.map(({ knock }) => knock.stepTimeoutSeconds)),
    timeoutFrom: gates.map(({ paths }) => paths.stepTimeout),
    size: limits.sources * (1 + gates.length),
    sizeFrom: ["limits.sources"],
  };
}

/**
 * Finds the one gate whose rules a packet can go to at once: it is the only one, it has one step, and each packet that
 * looks like this step is it.
 */
function findDirect(sorted: readonly PlacedSequence[]): PlacedSequence | undefined {
  const [gate] = sorted;
  if (gate === undefined || sorted.length > 1 || hasProgress(gate)) return undefined;
  return isKnownByLook(firstStep(gate).packet) ? gate : undefined;
}

/** Whether the match `anyStep` compares all that a step asks for. */
function isKnownByLook(step: Step): boolean {
  switch (step.kind) {
    case "tcp":
    case "icmpEcho":
      return true;
    case "udp":
      return step.payloadBytes === undefined;
    default:
      return unreachable(step);
  }
}

function hasProgress({ knock }: SequenceGate): boolean {
  return knock.steps.length > 1;
}

function callKnock(gate: PlacedSequence): Rule {
  return hasProgress(gate)
    ? decide([gate.paths.gate], [], { kind: "jump", chain: `${gate.name}_sequence` })
    : callBegin(gate);
}

function callBegin(gate: PlacedSequence): Rule {
  const isFirst: Match = { kind: "step", step: firstStep(gate) };
  return decide([gate.paths.gate], [isFirst], { kind: "jump", chain: `${gate.name}_first_step` });
}

interface LoweredBegins {
  readonly begins: readonly Begin[];
  readonly chains: readonly Chain[];
}

function canDispatch({ refusesWhenFull, hasVerdictMaps }: Abilities): boolean {
  return refusesWhenFull && hasVerdictMaps;
}

function lowerBegins(
  sorted: readonly PlacedSequence[],
  direct: PlacedSequence | undefined,
  isDispatched: boolean,
): LoweredBegins {
  if (direct !== undefined) return goFirst(direct);
  return isDispatched ? dispatchFirst(sorted) : forgetAndBegin(sorted);
}

function goFirst(gate: PlacedSequence): LoweredBegins {
  return {
    begins: makeBegins([gate], () => ({ kind: "goto", chain: `${gate.name}_first_step` })),
    chains: [],
  };
}

/** Sends a packet to the gate whose first step it is, or to all gates, if several gates have this first step. */
function dispatchFirst(sorted: readonly PlacedSequence[]): LoweredBegins {
  const entries = sorted.map(
    (gate): StepEntry => ({ step: firstStep(gate), chain: `${gate.name}_first_step` }),
  );
  const ofKind = (kind: Step["kind"]) => entries.filter(({ step }) => step.packet.kind === kind);
  return {
    begins: makeBegins(sorted, (kind) => ({
      kind: "dispatchSteps",
      entries: ofKind(kind),
      all: "sequences",
    })),
    chains: [],
  };
}

function forgetAndBegin(sorted: readonly PlacedSequence[]): LoweredBegins {
  const forget = sorted.filter(hasProgress).map(({ name, paths, knock }): Rule => {
    const positions = knock.steps.slice(0, -1).map((_, index) => index + 1);
    const effects = positions.map(
      (position) => ({ kind: "deleteSource", set: progressSet(name, position) }) as const,
    );
    return { from: [paths.gate], matches: [], effects };
  });
  const chain = { name: "first_steps", from: [], rules: [...forget, ...sorted.map(callBegin)] };
  return {
    begins: makeBegins(sorted, () => ({ kind: "goto", chain: chain.name })),
    chains: sorted.length === 0 ? [] : [chain],
  };
}

function makeBegins(
  sorted: readonly PlacedSequence[],
  decideOf: (kind: Step["kind"]) => Verdict,
): readonly Begin[] {
  return stepKinds.flatMap((kind): readonly Begin[] => {
    const gates = sorted.filter(({ knock }) => knock.steps[0]?.kind === kind);
    if (gates.length === 0) return [];
    const from = gates.map(({ paths }) => paths.gate);
    const match = { kind: "anyStep", steps: gates.map(firstStep) } as const;
    const verdict = decideOf(kind);
    const matches = verdict.kind === "dispatchSteps" ? [] : [match];
    return [{ kind, from, match, rule: decide([], matches, verdict) }];
  });
}

function firstStep(gate: PlacedSequence): StepMatch {
  return toStepMatch(gate, 1);
}
