import type { SequenceGate } from "../policy/knock.js";
import type { LintRule, Violation } from "../policy/lint-rule.js";
import type { Policy } from "../policy/policy.js";
import { portOf, type Step, sameStep } from "../policy/step.js";
import { eachSequence } from "./each-sequence.js";
import { countBits, guessingTime } from "./entropy.js";
import { findPlainSweeps } from "./plain-sweep.js";
import { areNeighbours, type Distance, goesOneWay, measureDistances } from "./sweep.js";

/** Sequences from tutorials. Every guesser knows them. */
const wellKnown: readonly (readonly number[])[] = [
  [7000, 8000, 9000],
  [9000, 8000, 7000],
  [1000, 2000, 3000],
  [1111, 2222, 3333],
  [1234, 2345, 3456],
];

/** A patient guesser finds a knock of fewer bits: {@link guessingTime} says how fast. */
export const fewestBits = 40;

/**
 * Whether a kind of packet has no source port. If the network duplicates such a packet, the copy looks like a second
 * packet.
 */
const canBeDoubled: Readonly<Record<Step["kind"], boolean>> = { tcp: false, udp: false, icmpEcho: true };

const neighbouringPorts = "has two steps in a row on neighbouring ports, or on the same one.";
/** By the kind of the first of two steps. */
const neighbouring: Readonly<Record<Step["kind"], string>> = {
  tcp: neighbouringPorts,
  udp: neighbouringPorts,
  icmpEcho: "has two echo requests in a row whose sizes are neighbours.",
};

/** Rules about the order and choice of a knock's steps. */
export const sequenceRules: readonly LintRule[] = [
  {
    id: "swept-in-order",
    severity: "error",
    canBeAccepted: true,
    why:
      "A scanner that sweeps ports or sizes in order, to find out what is there, sends exactly these steps in this order. Some " +
      "scanners send TCP and UDP to each port in turn. Others send all of one protocol, then all of the other.",
    fix: "Set strict, and choose steps that go both up and down, with other ports in between.",
    check: (policy) => {
      const find = findPlainSweeps(policy, measureDistances(policy));
      return eachSequence(policy, (gate, index) => {
        const sweep = find(gate);
        return sweep === undefined ? [] : [{ path: knockPath(index), message: `can be sent by ${sweep}.` }];
      });
    },
  },
  {
    id: "not-strict",
    severity: "warning",
    canBeAccepted: true,
    why:
      "Packets between the steps then reset nothing. Each sweep of all ports takes at least one more step, so a few of them " +
      "within stepTimeoutSeconds open the gate. One in random order opens it by luck.",
    fix: "Leave strict out, or set it to true.",
    check: (policy) =>
      eachSequence(policy, ({ knock: { strict } }, index) =>
        strict ? [] : [{ path: `${knockPath(index)}.strict`, message: "is false." }],
      ),
  },
  {
    id: "one-way-steps",
    severity: "warning",
    canBeAccepted: true,
    why:
      "A sweep may send only some ports in order, such as those that scanners try most, or every tenth size. If nothing else that " +
      "it sends lies between these steps, it sends one right after the other, and strict sees nothing to reset.",
    fix: "Choose steps that go both up and down.",
    check: (policy) =>
      objectToKnocks(
        policy,
        goesOneWay,
        "only goes up or only goes down, in ports or in equal steps of size.",
      ),
  },
  {
    id: "equal-steps",
    severity: "warning",
    canBeAccepted: true,
    why:
      "If a packet gets no answer, a scanner sends it again from another source port, and so takes both steps at once. Whoever " +
      "guesses one step has the other, so it does not make the knock harder to guess.",
    fix: "Put another step between them, or choose another port.",
    check: (policy) =>
      eachSequence(policy, (gate, index) =>
        findPairs(gate, (one, other) => !canBeDoubled[one.kind] && sameStep(one, other)).map((position) => ({
          path: `${knockPath(index)}.steps[${position + 1}]`,
          message: "is the same as the step before.",
        })),
      ),
  },
  {
    id: "neighbouring-steps",
    severity: "warning",
    canBeAccepted: true,
    why:
      "Neighbours follow each other in a sweep, whatever strict does. This holds for ports of one protocol, for ports of both if " +
      "the sweep sends TCP and UDP to each port, and for sizes. A packet that a scanner sends again late, or a second scanner " +
      "behind the same address, brings even ports together that have another step in between.",
    fix: "Choose ports and sizes further apart, in either protocol.",
    check: (policy) => {
      const distance = measureDistances(policy);
      const find = findPlainSweeps(policy, distance);
      return eachSequence(policy, (gate, index) => {
        const message = describeNeighbours(gate, distance);
        // If one sweep opens the gate, the rule `swept-in-order` already says so.
        return message === undefined || find(gate) !== undefined ? [] : [{ path: knockPath(index), message }];
      });
    },
  },
  {
    id: "knock-too-short",
    severity: "warning",
    canBeAccepted: true,
    why: "One step is hit by any scan; two are found by trying.",
    fix: "Use three steps or more.",
    check: (policy) =>
      objectToKnocks(policy, (gate) => gate.knock.steps.length < 3, "has fewer than three steps."),
  },
  {
    id: "low-entropy",
    severity: "warning",
    canBeAccepted: true,
    why: `A knock of fewer than ${fewestBits} bits can be guessed by somebody who has time.`,
    fix: "Add steps.",
    check: (policy) =>
      eachSequence(policy, (gate, index) => {
        const bits = countBits(gate.knock.steps);
        if (bits >= fewestBits) return [];
        const message = `has ${Math.floor(bits)} bits: at 100 tries a second, ${guessingTime(bits, 100)} on average.`;
        return [{ path: knockPath(index), message }];
      }),
  },
  {
    id: "well-known-sequence",
    severity: "error",
    canBeAccepted: true,
    why: "Sequences from tutorials are the first that a guesser tries.",
    fix: "Choose ports at random.",
    check: (policy) => objectToKnocks(policy, isWellKnown, "is a sequence from tutorials."),
  },
  {
    id: "equal-echo-steps",
    severity: "error",
    canBeAccepted: false,
    why: "An echo request that the network doubled looks like the same step sent again.",
    fix: "Give neighbouring echo steps different sizes, or put another step between them.",
    check: (policy) =>
      eachSequence(policy, (gate, index) =>
        findPairs(gate, (one, other) => canBeDoubled[one.kind] && sameStep(one, other)).map((position) => ({
          path: `${knockPath(index)}.steps[${position + 1}]`,
          message: "is the same echo request as the step before.",
        })),
      ),
  },
];

function isWellKnown(gate: SequenceGate): boolean {
  const ports = gate.knock.steps.map(portOf);
  return wellKnown.some(
    (known) => known.length === ports.length && known.every((port, index) => port === ports[index]),
  );
}

/**
 * Describes steps that are neighbours. Equal steps in a row have a rule of their own. Echo requests matter only in a
 * row.
 */
function describeNeighbours({ knock: { steps } }: SequenceGate, distance: Distance): string | undefined {
  const isNear = (one: Step, other: Step) => areNeighbours(one, other, distance);
  const inRow = steps.find((step, index) => {
    const next = steps[index + 1];
    return next !== undefined && !sameStep(step, next) && isNear(step, next);
  });
  if (inRow !== undefined) return neighbouring[inRow.kind];
  const isApart = (one: Step, index: number) =>
    portOf(one) !== undefined && steps.slice(index + 2).some((other) => isNear(one, other));
  return steps.some(isApart)
    ? "has two steps on neighbouring ports, or on the same one, with others in between."
    : undefined;
}

function findPairs(gate: SequenceGate, holds: (one: Step, other: Step) => boolean): readonly number[] {
  const { steps } = gate.knock;
  return steps.slice(0, -1).flatMap((step, position) => {
    const next = steps[position + 1];
    return next !== undefined && holds(step, next) ? [position] : [];
  });
}

function objectToKnocks(
  policy: Policy,
  isWrong: (gate: SequenceGate) => boolean,
  message: string,
): readonly Violation[] {
  return eachSequence(policy, (gate, index) => (isWrong(gate) ? [{ path: knockPath(index), message }] : []));
}

export function knockPath(index: number): string {
  return `gates[${index}].knock`;
}
