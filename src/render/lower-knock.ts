import type { Gate, Step } from "../policy/schema.js";
import type { Chain, Effect, Match, Rule, SourceSet, StepMatch } from "./ruleset.js";
import { openSet, packetSet, progressSet } from "./set-names.js";

/**
 * A gate's knock as a state machine over sets. A source is in at most one progress set, and every rule that finds it
 * in one ends the chain, so that one packet never advances two stages, also where a sequence repeats a port.
 *
 * In this order: the packet advances its source; or it is the step just taken once more, which changes nothing; or it
 * is something else, which under `strict` puts the source back to the start; and whatever it was, if it is the first
 * step, it begins the sequence anew.
 */
export function lowerKnock(gate: Gate): { readonly sets: readonly SourceSet[]; readonly chain: Chain } {
  const steps = gate.knock.steps.map((step, index) => toStepMatch(gate.name, step, index + 1));
  const last = steps.length;
  const advances = steps.slice(1).map((_, index) => lowerAdvance(steps, index + 2));
  const repeats = steps.slice(1, -1).map((step) => lowerRepeat(step));
  return {
    sets: [
      ...steps.slice(0, -1).flatMap(({ position }) => lowerProgressSets(gate, steps, position)),
      { name: openSet(gate.name), key: "source", role: "open", timeoutSeconds: gate.openForSeconds },
    ],
    chain: {
      name: `${gate.name}_knock`,
      rules: [
        ...advances.reverse(),
        ...repeats.reverse(),
        ...(gate.knock.strict && last > 1 ? [lowerReset(gate.name, last)] : []),
        lowerFirst(gate, steps),
      ],
    },
  };
}

function lowerProgressSets(gate: Gate, steps: readonly StepMatch[], position: number): readonly SourceSet[] {
  const common = { role: "progress", timeoutSeconds: gate.knock.stepTimeoutSeconds } as const;
  const sources: SourceSet = { name: progressSet(gate.name, position), key: "source", ...common };
  if (!looksLikeNext(steps, position)) return [sources];
  const isFirstAlike = position === firstAlike(steps, position);
  if (!isFirstAlike) return [sources];
  // As long as the whole run may take: a client can send its first packet again until then.
  const timeoutSeconds = gate.knock.stepTimeoutSeconds * steps.length;
  return [sources, { name: packetSet(gate.name, position), key: "packet", role: "progress", timeoutSeconds }];
}

function lowerAdvance(steps: readonly StepMatch[], position: number): Rule {
  const step = at(steps, position);
  const before = progressSet(step.gate, position - 1);
  // A doubled packet of a step before would pass for this one: only its source port tells them apart.
  const isAnother: readonly Match[] = looksLikeNext(steps, position - 1)
    ? [{ kind: "notInSet", set: packetSet(step.gate, firstAlike(steps, position)) }]
    : [];
  return {
    comment: position === steps.length ? `${step.gate}: opens` : `${step.gate}: step ${position} taken`,
    matches: [{ kind: "step", step }, { kind: "inSet", set: before }, ...isAnother],
    effects: [...putTaken(steps, position), { kind: "take", set: before }],
    verdict: { kind: "return" },
  };
}

function lowerRepeat(step: StepMatch): Rule {
  return {
    comment: `${step.gate}: step ${step.position} once more`,
    matches: [
      { kind: "step", step },
      { kind: "inSet", set: progressSet(step.gate, step.position) },
    ],
    effects: [],
    verdict: { kind: "return" },
  };
}

function lowerReset(gate: string, last: number): Rule {
  return { comment: `${gate}: back to the start`, matches: [], effects: takeProgress(gate, 1, last) };
}

function lowerFirst(gate: Gate, steps: readonly StepMatch[]): Rule {
  const isAlreadyReset = gate.knock.strict;
  return {
    comment: steps.length === 1 ? `${gate.name}: opens` : `${gate.name}: step 1 taken`,
    matches: [{ kind: "step", step: at(steps, 1) }],
    effects: [...putTaken(steps, 1), ...(isAlreadyReset ? [] : takeProgress(gate.name, 2, steps.length))],
  };
}

function putTaken(steps: readonly StepMatch[], position: number): readonly Effect[] {
  const { gate } = at(steps, position);
  if (position === steps.length) return [{ kind: "put", set: openSet(gate) }];
  const progress: Effect = { kind: "put", set: progressSet(gate, position) };
  return looksLikeNext(steps, position)
    ? [progress, { kind: "put", set: packetSet(gate, firstAlike(steps, position)) }]
    : [progress];
}

function takeProgress(gate: string, from: number, last: number): readonly Effect[] {
  return Array.from({ length: Math.max(0, last - from) }, (_, index) => {
    return { kind: "take", set: progressSet(gate, from + index) };
  });
}

/** Steps in a row that look alike share one set of packets, named after the first of them. */
function firstAlike(steps: readonly StepMatch[], position: number): number {
  return position > 1 && looksLikeNext(steps, position - 1) ? firstAlike(steps, position - 1) : position;
}

function looksLikeNext(steps: readonly StepMatch[], position: number): boolean {
  const step = at(steps, position);
  const next = steps[position];
  return next !== undefined && next.protocol === step.protocol && next.port === step.port;
}

function toStepMatch(gate: string, step: Step, position: number): StepMatch {
  if (step.tcp !== undefined) return { gate, position, protocol: "tcp", port: step.tcp };
  if (step.udp !== undefined) return { gate, position, protocol: "udp", port: step.udp };
  throw new Error(`gate ${gate}: step ${position} has no kind`); // parsePolicy never lets one pass
}

function at(steps: readonly StepMatch[], position: number): StepMatch {
  const step = steps[position - 1];
  if (step === undefined) throw new RangeError(`no step ${position}`);
  return step;
}
