import { unreachable } from "../errors.js";
import type { SequenceGate } from "../policy/knock.js";
import type { Policy } from "../policy/policy.js";
import { mergePortRanges, type PortRange, type Protocol } from "../policy/port.js";
import { listProtected } from "../policy/protect.js";
import { payloadBytesOf, portOf, type Step } from "../policy/step.js";

/**
 * How many ports, or bytes, the second step is above the first for a sweep that sends both. `undefined`: no sweep sends
 * both. A sweep may send TCP and UDP to each port in turn, so the same port and the next port are near in both
 * protocols.
 */
export type Distance = (one: Step, other: Step) => number | undefined;

/**
 * Makes a measure of how far apart two steps are for a sweep. Protected ports in between do not count, because a packet
 * to them resets nothing.
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

/** Whether a sweep can send two steps without a packet in between that resets a strict knock. */
export function areNeighbours(one: Step, other: Step, distance: Distance): boolean {
  return Math.abs(distance(one, other) ?? Number.POSITIVE_INFINITY) <= 1;
}

/** Whether a knock goes one way: three ports or more that only rise or only fall, or sizes at equal distances. */
export function goesOneWay({ knock: { steps } }: SequenceGate): boolean {
  const ports = steps.flatMap((step) => portOf(step) ?? []);
  const sizes = steps.flatMap((step) => payloadBytesOf(step) ?? []);
  const [rises, growths] = [listDifferences(ports), listDifferences(sizes)];
  if (rises.length >= 2) return rises.every((rise) => rise >= 0) || rises.every((rise) => rise <= 0);
  return ports.length === 0 && growths.length >= 2 && growths.every((growth) => growth === growths[0]);
}

function listDifferences(values: readonly number[]): readonly number[] {
  return values.slice(1).map((value, index) => value - (values[index] ?? 0));
}

/** Lists the ports of one protocol that any gate protects, as merged ranges. */
export function listGated(policy: Policy, protocol: Protocol): readonly PortRange[] {
  return mergePortRanges(policy.gates.flatMap((gate) => listProtected(gate, protocol)));
}

/** Intersects two lists of merged ranges. */
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

/**
 * Makes a count of the ports up to a given port that are outside of merged ranges. It is a binary search, because a
 * policy may protect thousands of ranges.
 */
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
