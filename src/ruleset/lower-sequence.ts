import type { SequenceGate } from "../policy/knock.js";
import type { Policy } from "../policy/policy.js";
import type { PlacedGate, PolicyPath } from "../policy/policy-path.js";
import { sameStep } from "../policy/step.js";
import { lowerEvent } from "./lower-event.js";
import type { Chain, Effect, Match, Rule, SourceSet, StepMatch } from "./ruleset.js";
import { openSet, packetSet, progressSet, rateSet } from "./set-names.js";

/** A knock's sets, its rules in the chain that all gates share, and its own chains, if it has any. */
export interface LoweredSequence {
  readonly sets: readonly SourceSet[];
  readonly shared: readonly Rule[];
  readonly chains: readonly Chain[];
}

/** What the rules of one knock are made from. */
interface LoweringSequence {
  readonly policy: Policy;
  readonly gate: PlacedGate & SequenceGate;
  readonly steps: readonly StepMatch[];
  /** The set of all sources that may be in mid-knock. `undefined`: there is none. */
  readonly midKnock: string | undefined;
  /** Whether only packets of the first step come to the chain of the first step. */
  readonly isMatched: boolean;
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
  gate: PlacedGate & SequenceGate,
  { midKnock, isMatched }: Pick<LoweringSequence, "midKnock" | "isMatched">,
): LoweredSequence {
  const steps = gate.knock.steps.map((_, index) => toStepMatch(gate, index + 1));
  const knock: LoweringSequence = { policy, gate, steps, midKnock, isMatched };
  const sets = lowerSets(knock);
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
      ...(gate.knock.strict ? positions.slice(0, -1).flatMap((position) => lowerReset(knock, position)) : []),
      beginAnew(knock),
    ],
  };
  return { sets, shared: [], chains: [chain, begin] };
}

function beginAnew({ gate, steps }: LoweringSequence): Rule {
  return {
    from: [gate.paths.gate],
    matches: [{ kind: "step", step: at(steps, 1) }],
    effects: [],
    verdict: { kind: "goto", chain: `${gate.name}_first_step` },
  };
}

/** Whether a knock has no chain of its own. */
export function isOneRule({ limits }: Policy, { knock }: SequenceGate): boolean {
  return knock.steps.length === 1 && limits.firstStepsPerSecond === 0;
}

function lowerSets({ policy, gate, steps }: LoweringSequence): readonly SourceSet[] {
  const { name, paths } = gate;
  const { stepTimeoutSeconds } = gate.knock;
  const { sources: size, firstStepsPerSecond } = policy.limits;
  const common = { from: [paths.gate], size, sizeFrom: ["limits.sources"] } as const;
  const progress = {
    ...common,
    role: "progress",
    timeoutSeconds: stepTimeoutSeconds,
    timeoutFrom: [paths.stepTimeout],
  } as const;
  const rate: SourceSet = {
    ...common,
    name: rateSet(name),
    key: "network",
    role: "progress",
    timeoutSeconds: 10,
    timeoutFrom: [],
  };
  return [
    ...steps.slice(0, -1).flatMap(({ position }): readonly SourceSet[] => {
      const sources: SourceSet = { ...progress, name: progressSet(name, position), key: "source" };
      const beginsRun = looksLikeNext(steps, position) && position === firstAlike(steps, position);
      if (!beginsRun) return [sources];
      // As long as the whole sequence may take: until then, a client may send its first packet again.
      const timeoutSeconds = stepTimeoutSeconds * steps.length;
      return [sources, { ...progress, name: packetSet(name, position), key: "packet", timeoutSeconds }];
    }),
    lowerOpen(policy, gate),
    ...(firstStepsPerSecond === 0 ? [] : [rate]),
  ];
}

/** The sources for which a gate's door is open. */
export function lowerOpen({ limits }: Policy, { name, paths, openForSeconds }: PlacedGate): SourceSet {
  return {
    name: openSet(name),
    from: [paths.gate],
    key: "source",
    role: "open",
    timeoutSeconds: openForSeconds,
    timeoutFrom: [paths.openFor],
    size: limits.sources,
    sizeFrom: ["limits.sources"],
  };
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
    matches: [{ kind: "step", step: at(steps, position) }, { kind: "inSet", set: before }, ...isAnother],
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
      { kind: "step", step: at(steps, position) },
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
  const isFirst: readonly Match[] = isMatched ? [] : [{ kind: "step", step: at(steps, 1) }];
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
 * Adds the source to the set `mid_knock` first. If that set is full, the rule ends there. So each source in mid-knock
 * is in that set.
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
    ...(midKnock === undefined ? [] : [put(midKnock, timeoutFrom)]),
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

/**
 * Returns the first of the consecutive steps that look alike. They share one set of packets, which is named after it.
 */
function firstAlike(steps: readonly StepMatch[], position: number): number {
  return position > 1 && looksLikeNext(steps, position - 1) ? firstAlike(steps, position - 1) : position;
}

/** Whether one packet could be taken for this step and for the next. */
function looksLikeNext(steps: readonly StepMatch[], position: number): boolean {
  const next = steps[position];
  return next !== undefined && sameStep(at(steps, position).packet, next.packet);
}

/** Makes the match of a gate's step. `position` is from 1. */
export function toStepMatch(gate: PlacedGate & SequenceGate, position: number): StepMatch {
  const packet = gate.knock.steps[position - 1];
  const path = gate.paths.steps[position - 1];
  if (packet === undefined || path === undefined)
    throw new RangeError(`no step ${position} at gate ${gate.name}`);
  return { gate: gate.name, position, packet, path };
}

function at(steps: readonly StepMatch[], position: number): StepMatch {
  const step = steps[position - 1];
  if (step === undefined) throw new RangeError(`no step ${position}`);
  return step;
}
