import type { SequenceGate } from "../policy/knock.js";
import type { Policy } from "../policy/policy.js";
import { isInPortRange, type PortRange, type Protocol } from "../policy/port.js";
import { payloadBytesOf, portOf, type Step } from "../policy/step.js";
import { areNeighbours, type Distance, listGated } from "./sweep.js";
import { opens } from "./walk.js";

/** A scan by somebody who knows nothing of the policy, and what it sends. */
interface PlainSweep {
  readonly words: string;
  readonly sent: readonly Step[];
}

type FindSweep = (gate: SequenceGate) => string | undefined;

/**
 * Makes a search that tries plain sweeps and describes the first one that opens a gate. The description has no port and
 * no size. Of each sweep, only packets that are a step, or are right beside a step, are tried.
 */
export function findPlainSweeps(policy: Policy, distance: Distance): FindSweep {
  const gated = { tcp: listGated(policy, "tcp"), udp: listGated(policy, "udp") };
  return (gate) => {
    const { steps, strict } = gate.knock;
    const isApart = (step: Step, index: number): boolean => {
      const before = steps[index - 1];
      return before !== undefined && !areNeighbours(before, step, distance);
    };
    if (steps.length < 2 || (strict && steps.some(isApart))) return undefined;
    return listSweeps(steps, gated).find(({ sent }) => opens(gate.knock, sent))?.words;
  };
}

type GatedPorts = Readonly<Record<Protocol, readonly PortRange[]>>;

function listSweeps(steps: readonly Step[], gated: GatedPorts): readonly PlainSweep[] {
  const [ports, sizes] = [listPorts(steps, gated), listSizes(steps)];
  const isUp = (one: number, other: number) => one - other;
  const isDown = (one: number, other: number) => other - one;
  return [
    ...listOneWay(steps, gated, ports.toSorted(isUp), sizes.toSorted(isUp), "ascending"),
    ...listOneWay(steps, gated, ports.toSorted(isDown), sizes.toSorted(isDown), "descending"),
  ];
}

function listOneWay(
  steps: readonly Step[],
  gated: GatedPorts,
  ports: readonly number[],
  sizes: readonly number[],
  order: "ascending" | "descending",
): readonly PlainSweep[] {
  const kinds = new Set(steps.map(({ kind }) => kind));
  const has: Readonly<Record<Step["kind"], boolean>> = {
    tcp: kinds.has("tcp"),
    udp: kinds.has("udp"),
    icmpEcho: kinds.has("icmpEcho"),
  };
  const sweep = (words: string, ...rounds: readonly (readonly Step[])[]): PlainSweep => {
    return { words: `a sweep of ${words} in ${order} order`, sent: rounds.flat() };
  };
  if (has.icmpEcho) {
    // A sweep of ports sends no echo requests in between, and a sweep of sizes does not go on to ports.
    if (has.tcp || has.udp) return [];
    return [
      sweep(
        "echo requests' sizes",
        ...sizes.map((payloadBytes): Step[] => [{ kind: "icmpEcho", payloadBytes }]),
      ),
    ];
  }
  const isGated = (protocol: Protocol, port: number) =>
    gated[protocol].some((range) => isInPortRange(port, range));
  const tcp = (port: number): Step[] => (isGated("tcp", port) ? [] : [{ kind: "tcp", port }]);
  if (!has.udp) return [sweep("TCP ports", ...ports.map(tcp))];
  const send =
    (payloadBytes: number) =>
    (port: number): Step[] =>
      isGated("udp", port) ? [] : [{ kind: "udp", port, payloadBytes }];
  const usualSizes = [...new Set([0, ...steps.flatMap((step) => payloadBytesOf(step) ?? [])])];
  if (has.tcp) {
    return usualSizes
      .map(send)
      .flatMap((udp) => [
        sweep("TCP and UDP at each port", ...ports.map((port) => [...tcp(port), ...udp(port)])),
        sweep("UDP and TCP at each port", ...ports.map((port) => [...udp(port), ...tcp(port)])),
        sweep("all TCP ports, then all UDP ports,", ...ports.map(tcp), ...ports.map(udp)),
        sweep("all UDP ports, then all TCP ports,", ...ports.map(udp), ...ports.map(tcp)),
      ]);
  }
  return [
    ...usualSizes.map(send).map((udp) => sweep("UDP ports", ...ports.map(udp))),
    ...(sizes.length === 0
      ? []
      : [
          sweep(
            "datagrams' sizes at each port",
            ...ports.flatMap((port) => sizes.map((size) => send(size)(port))),
          ),
        ]),
  ];
}

/** Lists the steps' ports and, on both sides of each, the nearest port of each protocol that is not protected. */
function listPorts(steps: readonly Step[], gated: GatedPorts): readonly number[] {
  const ports = steps.flatMap((step) => {
    const port = portOf(step);
    if (port === undefined) return [];
    const beside = ([1, -1] as const).flatMap((direction) =>
      [gated.tcp, gated.udp].map((ranges) => skipGated(port + direction, direction, ranges)),
    );
    return [port, ...beside.filter((other) => other >= 1 && other <= 65_535)];
  });
  return [...new Set(ports)];
}

function skipGated(port: number, direction: 1 | -1, ranges: readonly PortRange[]): number {
  const range = ranges.find((candidate) => isInPortRange(port, candidate));
  if (range === undefined) return port;
  // Merged ranges do not touch each other.
  return direction === 1 ? range.last + 1 : range.first - 1;
}

/** Lists the steps' sizes, and the sizes right beside them. */
function listSizes(steps: readonly Step[]): readonly number[] {
  const sizes = steps.flatMap((step) => {
    const size = payloadBytesOf(step);
    return size === undefined ? [] : [size - 1, size, size + 1].filter((bytes) => bytes >= 0);
  });
  return [...new Set(sizes)];
}
