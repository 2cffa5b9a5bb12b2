import type { SequenceGate } from "../policy/knock.js";
import type { Policy } from "../policy/policy.js";
import type { PolicyPath } from "../policy/policy-path.js";
import { stepKinds } from "../policy/step.js";
import { lowerEvent } from "./lower-event.js";
import { lowerSets } from "./lower-sets.js";
import { decide } from "./make-rule.js";
import type { Chain, Effect, Match, Rule, SourceSet, StepMatch } from "./ruleset.js";
import { openSet, packetSet, progressSet, rateSet } from "./set-names.js";
import { firstAlike, listStepMatches, looksLikeNext, type PlacedSequence, stepAt } from "./step-match.js";

/** A knock's sets, its rules in the chain that all gates share, and its own chains, if it has any. */
export interface LoweredSequence {
  readonly sets: readonly SourceSet[];
  readonly shared: readonly Rule[];
  readonly chains: readonly Chain[];
}

/** What the rules of one sequence are made from. */
interface LoweringSequence {
  readonly policy: Policy;
  readonly gate: PlacedSequence;
  readonly steps: readonly StepMatch[];
  /** The sets of sources that may be in mid-knock at this gate or another. */
  readonly midKnock: readonly string[];
  /** Whether only packets of the first step come to the chain of the first step. */
  readonly isMatched: boolean;
  /** Whether only packets that look like one of the gate's steps come to its sequence. Others come to a chain for them. */
  readonly isSorted: boolean;
}

/**
 * Lowers a gate's knock to a state machine over sets. A source is in at most one progress set. A rule that advances a
 * source, or finds its last step repeated, ends the chain. So one packet never advances two stages, even where a
 * sequence repeats a step.
 *
 * The rules stand in this order. First, the packet advances its source. Second, it repeats the last step: the source
 * stays where it is. Third, it is something else: under `strict` it puts the source back to the start. Last, a first
 * step begins the sequence anew. The rules for the first step are a chain of their own, for sources that are not in
 * mid-knock.
 */
export function lowerSequence(
  policy: Policy,
  gate: PlacedSequence,
  options: Pick<LoweringSequence, "midKnock" | "isMatched" | "isSorted">,
): LoweredSequence {
  const steps = listStepMatches(gate);
  const knock: LoweringSequence = { policy, gate, steps, ...options };
  const sets = lowerSets(policy, gate);
  const positions = steps.map(({ position }) => position);
  if (isOneRule(policy, gate)) return { sets, shared: lowerFirst(knock), chains: [] };
  const from = [gate.paths.gate];
  const begin = { name: `${gate.name}_first_step`, from, rules: lowerFirst(knock) };
  if (steps.length === 1) return { sets, shared: [], chains: [begin] };
  const chain = {
    name: `${gate.name}_sequence`,
    from,
    rules: [
      ...positions
        .slice(1)
        .reverse()
        .flatMap((position) => lowerAdvance(knock, position)),
      ...positions
        .slice(0, -1)
        .reverse()
        .map((position) => lowerRepeat(knock, position)),
      ...lowerResets(knock),
      beginAnew(knock),
    ],
  };
  return { sets, shared: [], chains: [chain, ...(options.isSorted ? lowerStrict(knock) : []), begin] };
}

/**
 * Lowers the chain for packets of sources in mid-knock that look like no step of the gate. The others have been at the
 * gate's sequence already.
 */
function lowerStrict(knock: LoweringSequence): readonly Chain[] {
  const { gate, steps } = knock;
  if (!gate.knock.strict) return [];
  const from = [gate.paths.strict];
  const pass = stepKinds.flatMap((kind): readonly Rule[] => {
    const ofKind = steps.filter(({ packet }) => packet.kind === kind);
    if (ofKind.length === 0) return [];
    return [decide(from, [{ kind: "anyStep", steps: ofKind }], { kind: "return" })];
  });
  return [{ name: `${gate.name}_strict`, from, rules: [...pass, ...lowerResets(knock)] }];
}

function lowerResets(knock: LoweringSequence): readonly Rule[] {
  const { gate, steps } = knock;
  return gate.knock.strict ? steps.slice(0, -1).flatMap(({ position }) => lowerReset(knock, position)) : [];
}

function beginAnew({ gate, steps }: LoweringSequence): Rule {
  return {
    from: [gate.paths.gate],
    matches: [{ kind: "step", step: stepAt(steps, 1) }],
    effects: [],
    verdict: { kind: "goto", chain: `${gate.name}_first_step` },
  };
}

/** Whether a knock has no chain of its own. */
export function isOneRule({ limits }: Policy, { knock }: SequenceGate): boolean {
  return knock.steps.length === 1 && limits.firstStepsPerSecond === 0;
}

function lowerAdvance(knock: LoweringSequence, position: number): readonly Rule[] {
  const { gate, steps } = knock;
  const before = progressSet(gate.name, position - 1);
  // A repeated packet of the step before would look like this step. Only its source port tells them apart.
  const isAnother: readonly Match[] = looksLikeNext(steps, position - 1)
    ? [{ kind: "notInSet", set: packetSet(gate.name, firstAlike(steps, position)) }]
    : [];
  return lowerTaken(knock, position, {
    from: [gate.paths.gate],
    matches: [{ kind: "step", step: stepAt(steps, position) }, { kind: "inSet", set: before }, ...isAnother],
    effects: [...addTaken(knock, position), { kind: "deleteSource", set: before }],
    verdict: { kind: "return" },
  });
}

/** A client that repeats the first step begins anew, so its timeout begins anew, too. */
function lowerRepeat(knock: LoweringSequence, position: number): Rule {
  const { gate, steps } = knock;
  return {
    comment: `${gate.name}: step ${position} once more`,
    from: [gate.paths.gate],
    matches: [
      { kind: "step", step: stepAt(steps, position) },
      { kind: "inSet", set: progressSet(gate.name, position) },
    ],
    effects: position === 1 ? addTaken(knock, 1) : [],
    verdict: { kind: "return" },
  };
}

function lowerReset({ policy, gate }: LoweringSequence, position: number): readonly Rule[] {
  const progress = progressSet(gate.name, position);
  return lowerEvent(policy, gate.name, "reset", {
    comment: `${gate.name}: back to the start`,
    from: [gate.paths.strict],
    matches: [{ kind: "inSet", set: progress }],
    effects: [{ kind: "deleteSource", set: progress }],
  });
}

function lowerFirst(knock: LoweringSequence): readonly Rule[] {
  const { policy, gate, steps, isMatched } = knock;
  const isFirst: readonly Match[] = isMatched ? [] : [{ kind: "step", step: stepAt(steps, 1) }];
  const perSecond = policy.limits.firstStepsPerSecond;
  const limit: Rule = {
    comment: `${gate.name}: too many first steps`,
    from: [gate.paths.gate, "limits.firstStepsPerSecond"],
    matches: [...isFirst, { kind: "overRate", set: rateSet(gate.name), perSecond }],
    effects: [],
    verdict: { kind: "return" },
  };
  const isAlreadyReset = gate.knock.strict;
  const first = lowerTaken(knock, 1, {
    from: [gate.paths.gate],
    matches: [...isFirst, { kind: "notLinkLocal" }],
    effects: [...addTaken(knock, 1), ...(isAlreadyReset ? [] : deleteProgress(gate.name, 2, steps.length))],
  });
  return perSecond === 0 ? first : [limit, ...first];
}

function lowerTaken(
  { policy, gate, steps }: LoweringSequence,
  position: number,
  rule: Rule,
): readonly Rule[] {
  if (position < steps.length) return [{ comment: `${gate.name}: step ${position} taken`, ...rule }];
  return lowerEvent(policy, gate.name, "opened", { comment: `${gate.name}: opens`, ...rule });
}

/**
 * Adds the source to the sets of sources in mid-knock first. If one of them is full, the rule ends there. So each source
 * in mid-knock is in those sets.
 */
function addTaken({ gate, steps, midKnock }: LoweringSequence, position: number): readonly Effect[] {
  const put = (set: string, timeoutFrom: PolicyPath): Effect => ({
    kind: "addSource",
    set,
    timeoutFrom: [timeoutFrom],
  });
  if (position === steps.length) return [put(openSet(gate.name), gate.paths.openFor)];
  const timeoutFrom = gate.paths.stepTimeout;
  return [
    ...midKnock.map((set) => put(set, timeoutFrom)),
    put(progressSet(gate.name, position), timeoutFrom),
    ...(looksLikeNext(steps, position)
      ? [put(packetSet(gate.name, firstAlike(steps, position)), timeoutFrom)]
      : []),
  ];
}

function deleteProgress(gate: string, first: number, last: number): readonly Effect[] {
  return Array.from({ length: Math.max(0, last - first) }, (_, index) => {
    return { kind: "deleteSource", set: progressSet(gate, first + index) };
  });
}
