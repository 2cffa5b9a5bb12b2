import { unreachable } from "../errors.js";
import type { Gate, Policy } from "../policy/policy.js";
import { mergePortRanges, type PortRange, type Protocol } from "../policy/port.js";
import { listProtected } from "../policy/protect.js";
import { payloadBytesOf, portOf, type Step } from "../policy/step.js";

/**
 * How many ports, or bytes, a step is above the one before, for a sweep that sends both; `undefined` when none does.
 * A sweep may send TCP and UDP to each port in turn, so the same port and the next one are near in either protocol.
 */
export type Distance = (one: Step, other: Step) => number | undefined;

/**
 * Makes a measure of how far two steps are apart for a sweep. Protected ports in between do not count: what arrives
 * there resets nothing.
 */
export function measureDistances(policy: Policy): Distance {
  const [tcp, udp] = [listGated(policy, "tcp"), listGated(policy, "udp")];
  const ranks = { tcp: rankPorts(tcp), udp: rankPorts(udp), both: rankPorts(intersect(tcp, udp)) };
  return (one, other) => {
    switch (one.kind) {
      case "tcp":
      case "udp": {
        if (other.kind === "icmpEcho") return undefined;
        const rank = other.kind === one.kind ? ranks[one.kind] : ranks.both;
        return rank(other.port) - rank(one.port);
      }
      case "icmpEcho":
        return other.kind === "icmpEcho" ? other.payloadBytes - one.payloadBytes : undefined;
      default:
        return unreachable(one);
    }
  };
}

/** Whether a sweep can send two steps with nothing in between that would put a strict knock back. */
export function areNeighbours(one: Step, other: Step, distance: Distance): boolean {
  return Math.abs(distance(one, other) ?? Number.POSITIVE_INFINITY) <= 1;
}

/** Whether a knock goes one way: three ports or more that only rise or only fall, or sizes at equal distances. */
export function goesOneWay({ knock: { steps } }: Gate): boolean {
  const ports = steps.flatMap((step) => portOf(step) ?? []);
  const sizes = steps.flatMap((step) => payloadBytesOf(step) ?? []);
  const [rises, growths] = [listDifferences(ports), listDifferences(sizes)];
  if (rises.length >= 2) return rises.every((rise) => rise >= 0) || rises.every((rise) => rise <= 0);
  return ports.length === 0 && growths.length >= 2 && growths.every((growth) => growth === growths[0]);
}

function listDifferences(values: readonly number[]): readonly number[] {
  return values.slice(1).map((value, index) => value - (values[index] ?? 0));
}

/** The ports of one protocol that some gate protects. */
export function listGated(policy: Policy, protocol: Protocol): readonly PortRange[] {
  return mergePortRanges(policy.gates.flatMap((gate) => listProtected(gate, protocol)));
}

/** What is in both of two lists of merged ranges. */
function intersect(ones: readonly PortRange[], others: readonly PortRange[]): readonly PortRange[] {
  const common: PortRange[] = [];
  for (let [at, beside] = [0, 0]; ; ) {
    const [one, other] = [ones[at], others[beside]];
    if (one === undefined || other === undefined) return common;
    const [first, last] = [Math.max(one.first, other.first), Math.min(one.last, other.last)];
    if (first <= last) common.push({ first, last });
    if (one.last < other.last) at++;
    else beside++;
  }
}

/** Counts the ports up to one that are in none of some merged ranges, by halving: a policy may protect thousands. */
function rankPorts(ranges: readonly PortRange[]): (port: number) => number {
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
