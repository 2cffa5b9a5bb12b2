import type { Gate, Policy, Step } from "../policy/policy.js";
import { countBits, guessingTime } from "./entropy.js";
import type { LintRule, Objection } from "./rule.js";
import { hasNeighbours, isSweptThrough, measureDistances } from "./sweep.js";

/** Sequences that every tutorial has, and every guesser with it. */
const wellKnown: readonly (readonly number[])[] = [
  [7000, 8000, 9000],
  [9000, 8000, 7000],
  [1000, 2000, 3000],
  [1111, 2222, 3333],
  [1234, 2345, 3456],
];

/** Below this many bits a patient guesser gets in; see what {@link guessingTime} says of it. */
const fewestBits = 40;

/** Rules about the order and choice of a knock's steps. */
export const sequenceRules: readonly LintRule[] = [
  {
    id: "swept-in-order",
    severity: "error",
    isRisk: true,
    why: "A plain sweep of all ports in ascending or descending order sends just these steps in just this order.",
    fix: "Set strict, and let at least one step go down and one go up, with other ports in between.",
    check: (policy) => {
      const distance = measureDistances(policy);
      const isWrong = (gate: Gate) => isSweptThrough(gate, distance);
      return objectToKnocks(policy, isWrong, "is walked through by a sweep of all ports in order.");
    },
  },
  {
    id: "neighbouring-steps",
    severity: "warning",
    isRisk: true,
    why: "Two steps on neighbouring ports of one protocol follow each other in every sweep, whatever strict does.",
    fix: "Choose ports further apart.",
    check: (policy) => {
      const distance = measureDistances(policy);
      const isWrong = (gate: Gate) => !isSweptThrough(gate, distance) && hasNeighbours(gate, distance);
      return objectToKnocks(policy, isWrong, "has two steps in a row on neighbouring ports.");
    },
  },
  {
    id: "knock-too-short",
    severity: "warning",
    isRisk: true,
    why: "One step is hit by any scan; two are found by trying.",
    fix: "Use three steps or more.",
    check: (policy) =>
      objectToKnocks(policy, (gate) => gate.knock.steps.length < 3, "has fewer than three steps."),
  },
  {
    id: "low-entropy",
    severity: "warning",
    isRisk: true,
    why: `A knock of fewer than ${fewestBits} bits can be guessed by somebody who has time.`,
    fix: "Add steps.",
    check: (policy) =>
      policy.gates.flatMap((gate, index) => {
        const bits = countBits(gate.knock.steps);
        if (bits >= fewestBits) return [];
        const message = `has ${Math.floor(bits)} bits: at 100 tries a second, ${guessingTime(bits, 100)} on average.`;
        return [{ path: knockPath(index), message }];
      }),
  },
  {
    id: "well-known-sequence",
    severity: "error",
    isRisk: true,
    why: "Sequences from tutorials are the first that a guesser tries.",
    fix: "Choose ports at random.",
    check: (policy) => objectToKnocks(policy, isWellKnown, "is a sequence from tutorials."),
  },
  {
    id: "equal-echo-steps",
    severity: "error",
    isRisk: false,
    why: "An echo request that the network doubled looks like the same step sent again.",
    fix: "Give neighbouring echo steps different sizes, or put another step between them.",
    check: (policy) =>
      policy.gates.flatMap((gate, index) =>
        findPairs(
          gate,
          (one, other) =>
            one.icmpPayloadBytes !== undefined && one.icmpPayloadBytes === other.icmpPayloadBytes,
        ).map((position) => ({
          path: `${knockPath(index)}.steps[${position + 1}]`,
          message: "is the same echo request as the step before.",
        })),
      ),
  },
  {
    id: "knock-opens-another",
    severity: "warning",
    isRisk: true,
    why: "Whoever sends the longer knock opens both gates.",
    fix: "Let no knock hold all steps of another in a row.",
    check: findOverlaps,
  },
];

function isWellKnown(gate: Gate): boolean {
  const ports = gate.knock.steps.map((step) => step.tcp ?? step.udp);
  return wellKnown.some(
    (known) => known.length === ports.length && known.every((port, index) => port === ports[index]),
  );
}

/** A knock may stand anywhere in another one: what comes before it is just something else. */
function findOverlaps(policy: Policy): readonly Objection[] {
  const byFirst = new Map<string, { index: number; gate: Gate; keys: readonly string[] }[]>();
  const entries = policy.gates.map((gate, index) => ({
    index,
    gate,
    keys: gate.knock.steps.map((step) => JSON.stringify(step)),
  }));
  for (const entry of entries) {
    const first = entry.keys[0] ?? "";
    const alike = byFirst.get(first);
    if (alike === undefined) byFirst.set(first, [entry]);
    else alike.push(entry);
  }
  return entries.flatMap(({ index, keys }) => {
    const others = keys.flatMap((key, start) =>
      (byFirst.get(key) ?? []).filter(
        (other) =>
          other.index !== index &&
          isPartFrom(start, other.keys, keys) &&
          (other.keys.length < keys.length || other.index < index),
      ),
    );
    return [...new Set(others)].map(({ gate }) => {
      return { path: knockPath(index), message: `opens gate "${gate.name}" as well.` };
    });
  });
}

function isPartFrom(start: number, part: readonly string[], whole: readonly string[]): boolean {
  return part.length + start <= whole.length && part.every((key, index) => key === whole[start + index]);
}

function findPairs(gate: Gate, holds: (one: Step, other: Step) => boolean): readonly number[] {
  const { steps } = gate.knock;
  return steps.slice(0, -1).flatMap((step, position) => {
    const next = steps[position + 1];
    return next !== undefined && holds(step, next) ? [position] : [];
  });
}

function objectToKnocks(
  policy: Policy,
  isWrong: (gate: Gate) => boolean,
  message: string,
): readonly Objection[] {
  return policy.gates.flatMap((gate, index) => (isWrong(gate) ? [{ path: knockPath(index), message }] : []));
}

function knockPath(index: number): string {
  return `gates[${index}].knock`;
}
