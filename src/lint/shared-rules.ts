import { unreachable } from "../errors.js";
import { isSequenceGate, type SequenceGate, stepsOf } from "../policy/knock.js";
import type { LintRule, Violation } from "../policy/lint-rule.js";
import type { Policy } from "../policy/policy.js";
import type { Step } from "../policy/step.js";
import { eachSequence } from "./each-sequence.js";
import { countBits } from "./entropy.js";
import { fewestBits, knockPath } from "./sequence-rules.js";
import { opens } from "./walk.js";

/** The most gates that a message names. A policy may have hundreds of gates that are alike. */
const mostNamed = 3;

/** Rules about what the knocks of several gates have in common. */
export const sharedRules: readonly LintRule[] = [
  {
    id: "knock-opens-another",
    severity: "warning",
    canBeAccepted: true,
    why: "Whoever sends this knock opens both gates.",
    fix: "Change the steps, so that no knock contains all steps of another in a row.",
    check: findOpened,
  },
  {
    id: "shared-beginning",
    severity: "warning",
    canBeAccepted: true,
    why: `Whoever may open one gate has fewer than ${fewestBits} bits to guess for the other.`,
    fix: "Give each gate a knock of its own.",
    check: findSharedBeginnings,
  },
];

/**
 * Finds knocks that open another gate. The other knock may stand anywhere in the knock, or in the knock sent several
 * times: people knock again.
 */
function findOpened(policy: Policy): readonly Violation[] {
  const gates = policy.gates.flatMap((gate, index) =>
    isSequenceGate(gate) ? [{ gate, index, keys: gate.knock.steps.map(nameStep) }] : [],
  );
  const byFirst = new Map<string, (typeof gates)[number][]>();
  for (const entry of gates) {
    const first = entry.keys[0] ?? "";
    const alike = byFirst.get(first);
    if (alike === undefined) byFirst.set(first, [entry]);
    else alike.push(entry);
  }
  return gates.flatMap(({ gate, index, keys }) => {
    const names = new Map<string, "sent" | "sent again">();
    const own = new Set(keys);
    for (const key of own) {
      for (const other of byFirst.get(key) ?? []) {
        if (names.size > mostNamed) break;
        if (other.index === index || other.keys.some((each) => !own.has(each))) continue;
        const how = howItOpens(gate, other.gate);
        // If each opens the other, only one objection says so.
        const isSaid = other.index > index && howItOpens(other.gate, gate) !== undefined;
        if (how !== undefined && !isSaid) names.set(other.gate.name, how);
      }
    }
    if (names.size === 0) return [];
    const when = [...names.values()].includes("sent") ? "" : " when it is sent again";
    return [{ path: knockPath(index), message: `opens ${listGates([...names.keys()])} as well${when}.` }];
  });
}

function listGates(names: readonly string[]): string {
  const quoted = names.map((name) => `"${name}"`);
  if (quoted.length > mostNamed) return `gates ${quoted.slice(0, mostNamed).join(", ")} and others`;
  const last = quoted.at(-1) ?? "";
  return quoted.length === 1 ? `gate ${last}` : `gates ${quoted.slice(0, -1).join(", ")} and ${last}`;
}

function howItOpens(
  { knock: { steps } }: SequenceGate,
  other: SequenceGate,
): "sent" | "sent again" | undefined {
  if (opens(other.knock, steps)) return "sent";
  const times = Math.ceil(other.knock.steps.length / steps.length) + 1;
  const again = Array.from({ length: times }, () => steps).flat();
  return opens(other.knock, again) ? "sent again" : undefined;
}

/** Names a step without a datagram's size, because the size may be left open. */
function nameStep(step: Step): string {
  switch (step.kind) {
    case "tcp":
    case "udp":
      return `${step.kind} ${step.port}`;
    case "icmpEcho":
      return `${step.kind} ${step.payloadBytes}`;
    default:
      return unreachable(step);
  }
}

function findSharedBeginnings(policy: Policy): readonly Violation[] {
  const begin = policy.gates.map((gate) => listBeginnings(stepsOf(gate)));
  const counts = new Map<string, { count: number; gates: number[] }>();
  for (const [index, beginnings] of begin.entries()) {
    for (const each of beginnings) {
      const { count, gates } = counts.get(each) ?? { count: 0, gates: [] };
      counts.set(each, { count: count + 1, gates: gates.length < 2 ? [...gates, index] : gates });
    }
  }
  return eachSequence(policy, ({ knock: { steps } }, index) => {
    const shared = begin[index]?.findLast((each) => (counts.get(each)?.count ?? 0) > 1);
    const length = begin[index]?.indexOf(shared ?? "") ?? -1;
    const rest = steps.slice(length + 1);
    const other = policy.gates[counts.get(shared ?? "")?.gates.find((gate) => gate !== index) ?? -1];
    if (other === undefined || rest.length === 0) return [];
    const bits = countBits(steps) - countBits(steps.slice(0, length + 1));
    if (bits >= fewestBits) return [];
    const message = `begins like the knock of gate "${other.name}": whoever knows that knock has ${Math.floor(bits)} bits left to guess.`;
    return [{ path: knockPath(index), message }];
  });
}

/** Lists the beginnings of a sequence: one for each number of steps, from 1. */
function listBeginnings(steps: readonly Step[]): readonly string[] {
  let beginning = "";
  return steps.map((step) => {
    beginning += JSON.stringify(step);
    return beginning;
  });
}
