import { unreachable } from "../errors.js";
import { type Step, stepKinds } from "../policy/step.js";
import type { Begin } from "./begin.js";
import { decide } from "./make-rule.js";
import type { Chain, Match, Rule, StepEntry, StepMatch, Verdict } from "./ruleset.js";
import { progressSet } from "./set-names.js";
import { hasProgress, type PlacedSequence, toStepMatch } from "./step-match.js";

/** The rules for first steps of sources that are not in mid-knock. */
interface LoweredBegins {
  /** For each kind of first step: the rule that sends such packets to the right gates. */
  readonly begins: readonly Begin[];
  readonly chains: readonly Chain[];
}

/**
 * Sends a packet by one rule to the gate whose first step it is, or to the chain `all`, if several gates have this first
 * step.
 */
export function dispatchBegins(sorted: readonly PlacedSequence[], all: string): LoweredBegins {
  const entries = sorted.map(
    (gate): StepEntry => ({ step: firstStep(gate), how: "goto", chain: `${gate.name}_first_step` }),
  );
  return {
    begins: makeBegins(sorted, (stepKind) => ({ kind: "dispatchSteps", stepKind, entries, all })),
    chains: [],
  };
}

/**
 * Sends a packet to the rules of all first steps. A source that begins is first put back to the start at all gates, see
 * `lowerDispatch`.
 */
export function forgetAndBegin(sorted: readonly PlacedSequence[]): LoweredBegins {
  const direct = findDirect(sorted);
  return direct === undefined ? forgetFirst(sorted) : goFirst(direct);
}

/** Calls the rules for a gate's first step. */
export function callBegin(gate: PlacedSequence): Rule {
  const isFirst: Match = { kind: "step", step: firstStep(gate) };
  return decide([gate.paths.gate], [isFirst], { kind: "jump", chain: `${gate.name}_first_step` });
}

/**
 * Finds the one gate whose rules a packet can go to at once: it is the only one, it has one step, and each packet that
 * looks like this step is it.
 */
export function findDirect(sorted: readonly PlacedSequence[]): PlacedSequence | undefined {
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

function goFirst(gate: PlacedSequence): LoweredBegins {
  return {
    begins: makeBegins([gate], () => ({ kind: "goto", chain: `${gate.name}_first_step` })),
    chains: [],
  };
}

function forgetFirst(sorted: readonly PlacedSequence[]): LoweredBegins {
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
