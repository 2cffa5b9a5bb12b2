import { listProtected } from "../policy/gate.js";
import type { Gate, Policy, Step } from "../policy/policy.js";
import { mergePortRanges, type Protocol } from "../policy/port.js";

/** How many ports a step is above the one before; `undefined` when one sweep does not send both. */
export type Distance = (one: Step, other: Step) => number | undefined;

/**
 * Makes a measure of how far two steps are apart for a sweep of all ports. Protected ports in between do not count:
 * what arrives there resets nothing.
 */
export function measureDistances(policy: Policy): Distance {
  const ranks = { tcp: rankPorts(policy, "tcp"), udp: rankPorts(policy, "udp") };
  return (one, other) => {
    if (one.tcp !== undefined && other.tcp !== undefined) return ranks.tcp(other.tcp) - ranks.tcp(one.tcp);
    if (one.udp !== undefined && other.udp !== undefined) return ranks.udp(other.udp) - ranks.udp(one.udp);
    return undefined;
  };
}

/** Under strict only a sequence without any port between its steps; else any that goes one way. */
export function isSweptThrough(gate: Gate, distance: Distance): boolean {
  const { steps, strict } = gate.knock;
  const apart = measureSteps(steps, distance);
  return [1, -1].some(
    (direction) =>
      steps.length > 1 &&
      apart.every((ports) => ports !== undefined && (strict ? ports === direction : ports * direction >= 0)),
  );
}

export function hasNeighbours(gate: Gate, distance: Distance): boolean {
  return measureSteps(gate.knock.steps, distance).some((ports) => Math.abs(ports ?? 0) === 1);
}

function measureSteps(steps: readonly Step[], distance: Distance): readonly (number | undefined)[] {
  return steps.slice(1).map((step, index) => distance(steps[index] ?? step, step));
}

/** Counts the ports up to one that are not protected, by halving: a policy may protect thousands. */
function rankPorts(policy: Policy, protocol: Protocol): (port: number) => number {
  const ranges = mergePortRanges(policy.gates.flatMap((gate) => listProtected(gate, protocol)));
  const before: number[] = [0];
  for (const [index, { first, last }] of ranges.entries())
    before.push((before[index] ?? 0) + last - first + 1);
  return (port) => {
    let [low, high] = [0, ranges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ranges[middle]?.last ?? 0) < port) low = middle + 1;
      else high = middle;
    }
    return port - (before[low] ?? 0);
  };
}
