import fc from "fast-check";
import { lintPolicy } from "../../../src/lint/lint";
import { stepsOf } from "../../../src/policy/knock";
import { parsePolicy } from "../../../src/policy/parse";
import type { Policy } from "../../../src/policy/policy";
import { portOf, type Step, writeStep } from "../../../src/policy/step";
import type { Shape } from "./generate";

/** A scan of one machine from one address: its packets, and whether repeated packets have one source port. */
export interface Sweep {
  readonly shapes: readonly Shape[];
  /** Whether a shape that comes again is the same packet, and not another one to the same port. */
  readonly isSameFlow: boolean;
}

/** All steps are in here, so that they lie near to each other. Sweeps begin before and end behind. */
const [firstPort, lastPort, around] = [20_000, 20_023, 4];
const [firstSize, lastSize] = [40, 60];

/** Knocks that come close to what the linter objects to, most of them strict. */
export function knockPolicy(backend: Policy["backend"]): fc.Arbitrary<Policy> {
  const port = fc.integer({ min: firstPort, max: lastPort });
  const change = fc.record({
    how: fc.constantFrom("near", "near", "far", "far", "far", "protocol", "size", "echo", "echo near"),
    offset: fc.constantFrom(-2, -1, 0, 1, 2),
    port,
    isUdp: fc.constantFrom(false, false, true),
    bytes: fc.integer({ min: firstSize, max: lastSize }),
  });
  return fc
    .record({
      // Short knocks are the most likely to open.
      changes: fc.oneof(
        { weight: 3, arbitrary: fc.array(change, { minLength: 3, maxLength: 3 }) },
        { weight: 1, arbitrary: fc.array(change, { minLength: 4, maxLength: 6 }) },
      ),
      // Half of the knocks go one way, in short or long strides, as a sweep does.
      way: fc.constantFrom<(Way | undefined)[]>(undefined, undefined, undefined, 1, -1, "sizes up"),
      strict: fc.integer({ min: 0, max: 5 }).map((value) => value > 0),
      holes: fc.array(fc.record({ port, length: fc.constantFrom(0, 0, 3), isUdp: fc.boolean() }), {
        maxLength: 2,
      }),
    })
    .map(({ changes, way, strict, holes }) => {
      const steps: Step[] = [];
      for (const each of changes)
        steps.push(nextStep(steps.at(-1), way === undefined ? each : turn(each, way)));
      const protect = holes.map(({ port: from, length, isUdp }) => {
        const range = length === 0 ? `${from}` : `${from}-${from + length}`;
        return isUdp ? { udp: range } : { tcp: range };
      });
      const reading = parsePolicy({
        name: "swept",
        backend,
        gates: [
          {
            name: "ssh",
            protect: [{ tcp: "4000" }, ...protect],
            knock: { steps: steps.map(writeStep), strict, stepTimeoutSeconds: 60 },
          },
        ],
        limits: { firstStepsPerSecond: 0 },
        acceptRisks: ["iptables-few-sources"],
      });
      return reading.kind === "policy" ? reading.policy : undefined;
    })
    .filter((policy) => policy !== undefined);
}

/** Tells whether the linter finds nothing at all in a policy. */
export function isAccepted(policy: Policy): boolean {
  return lintPolicy(policy).length === 0;
}

type Way = 1 | -1 | "sizes up";

interface Change {
  readonly how: string;
  readonly offset: number;
  readonly port: number;
  readonly isUdp: boolean;
  readonly bytes: number;
}

/** Turns a change so that it goes the given way. */
function turn(change: Change, way: Way): Change {
  if (way === "sizes up") return { ...change, how: "echo near", offset: 1 };
  const offset = Math.abs(change.offset) * way;
  return {
    ...change,
    how: change.how === "far" ? "near" : change.how.replace(/^echo.*/, "protocol"),
    offset,
  };
}

function nextStep(before: Step | undefined, { how, offset, port, isUdp, bytes }: Change): Step {
  const at = (before && portOf(before)) ?? port;
  const near = Math.min(lastPort, Math.max(firstPort, at + offset));
  if (how === "near") return { kind: isUdp ? "udp" : "tcp", port: near };
  if (how === "protocol") return { kind: before?.kind === "tcp" ? "udp" : "tcp", port: near };
  if (how === "size") {
    const size = (before?.kind === "udp" ? before.payloadBytes : undefined) ?? 6;
    return { kind: "udp", port: at, payloadBytes: Math.max(0, size + offset) };
  }
  if (how === "echo") return { kind: "icmpEcho", payloadBytes: bytes };
  if (how === "echo near") {
    const size = before?.kind === "icmpEcho" ? before.payloadBytes : bytes;
    return { kind: "icmpEcho", payloadBytes: size + offset };
  }
  return { kind: isUdp ? "udp" : "tcp", port };
}

/**
 * Scans by a sender who knows nothing about the knock: one to three sweeps in a row, or two sweeps of all ports at the
 * same time, with one a little ahead. A scan of only some ports or sizes goes one way, and ends beyond all steps.
 */
export function sweep({ gates }: Policy): fc.Arbitrary<Sweep> {
  const steps = gates.flatMap(stepsOf);
  const ports = steps.flatMap((step) => portOf(step) ?? []);
  // The distances between steps: with such a lag the two sweeps reach two steps at the same time.
  const distances = ports.flatMap((port) => ports.map((other) => Math.abs(port - other)));
  const single = fc.oneof(
    { weight: 5, arbitrary: portSweep(steps, true) },
    { weight: 2, arbitrary: sizeSweep() },
  );
  const inRow = fc.array(single, { minLength: 1, maxLength: 3 }).map((list) => list.flat());
  const lag = fc.oneof(fc.integer({ min: 0, max: 30 }), fc.constantFrom(0, ...distances));
  const atOnce = fc
    .record({ one: portSweep(steps, false), other: portSweep(steps, false), lag })
    .map(({ one, other, lag }) => interleave(one, other, lag));
  return fc.record({
    shapes: fc.oneof({ weight: 3, arbitrary: inRow }, { weight: 2, arbitrary: atOnce }),
    isSameFlow: fc.boolean(),
  });
}

type PortOrder = "tcp" | "udp" | "tcp udp at each" | "udp tcp at each" | "tcp, then udp" | "udp, then tcp";

function portSweep(steps: readonly Step[], canSkip: boolean): fc.Arbitrary<readonly Shape[]> {
  const all = range(firstPort - around, lastPort + around);
  const flags = fc.array(fc.nat({ max: 3 }), { minLength: all.length, maxLength: all.length });
  const skips = fc.oneof(
    fc.constant(() => true),
    fc.constantFrom(2, 3, 5, 10).map((stride) => (port: number) => port % stride === 0),
    // Some ports at random, without those of the steps or with them.
    flags.map((list) => (port: number) => list[all.indexOf(port)] === 0),
    flags.map((list) => (port: number) => {
      return steps.some((step) => port === portOf(step)) || list[all.indexOf(port)] === 0;
    }),
  );
  const orders = [
    "tcp",
    "udp",
    "tcp udp at each",
    "udp tcp at each",
    "tcp, then udp",
    "udp, then tcp",
  ] as const;
  // Sweeps in only one protocol are more frequent when all steps have that protocol.
  const alone = (["tcp", "udp"] as const).filter((protocol) => steps.every(({ kind }) => kind === protocol));
  return fc
    .record({
      order: fc.constantFrom<PortOrder[]>(...orders, ...alone, ...alone, ...alone, ...alone),
      isDown: fc.boolean(),
      isIncluded: canSkip ? skips : fc.constant(() => true),
      times: canSkip ? fc.integer({ min: 1, max: 3 }) : fc.constantFrom(1, 1, 1, 2, 3),
      isByRound: fc.boolean(),
      payloadBytes: fc.constantFrom(0, 5, 6, 7),
    })
    .map(({ order, isDown, isIncluded, times, isByRound, payloadBytes }) => {
      // Both ends always have ports that are not steps, whatever is left out.
      const ports = all.filter((port) => isIncluded(port) || port <= firstPort - 2 || port >= lastPort + 2);
      if (isDown) ports.reverse();
      const tcp = (port: number): Shape => ({ kind: "tcp", port });
      const udp = (port: number): Shape => ({ kind: "udp", port, payloadBytes });
      const rounds = listRounds(order, ports, tcp, udp);
      return isByRound
        ? rounds.flatMap((round) => range(1, times).flatMap(() => round))
        : rounds.flat().flatMap((shape) => range(1, times).map(() => shape));
    });
}

function listRounds(
  order: PortOrder,
  ports: readonly number[],
  tcp: (port: number) => Shape,
  udp: (port: number) => Shape,
): readonly (readonly Shape[])[] {
  const [ofTcp, ofUdp] = [ports.map((port) => [tcp(port)]), ports.map((port) => [udp(port)])];
  switch (order) {
    case "tcp":
      return ofTcp;
    case "udp":
      return ofUdp;
    case "tcp, then udp":
      return [...ofTcp, ...ofUdp];
    case "udp, then tcp":
      return [...ofUdp, ...ofTcp];
    case "tcp udp at each":
      return ports.map((port) => [tcp(port), udp(port)]);
    case "udp tcp at each":
      return ports.map((port) => [udp(port), tcp(port)]);
    default:
      return order satisfies never;
  }
}

/** Sizes in order, for echo requests or for datagrams to each port. */
function sizeSweep(): fc.Arbitrary<readonly Shape[]> {
  return fc
    .record({
      isEcho: fc.boolean(),
      isDown: fc.boolean(),
      stride: fc.constantFrom(1, 1, 2, 5, 10),
      times: fc.integer({ min: 1, max: 3 }),
    })
    .map(({ isEcho, isDown, stride, times }) => {
      const turn = (list: readonly number[]) => (isDown ? list.toReversed() : list);
      const shapes = isEcho
        ? turn(range(firstSize - 6, lastSize + 6).filter((bytes) => bytes % stride === 0)).map(
            (payloadBytes): Shape => ({ kind: "echo", payloadBytes }),
          )
        : turn(range(firstPort - 1, lastPort + 1)).flatMap((port) =>
            turn(range(3, 9)).map((payloadBytes): Shape => ({ kind: "udp", port, payloadBytes })),
          );
      return shapes.flatMap((shape) => range(1, times).map(() => shape));
    });
}

/** Takes packets from the two in turns, after the lag. */
function interleave(one: readonly Shape[], other: readonly Shape[], lag: number): readonly Shape[] {
  const both = Math.max(one.length, other.length + lag);
  return range(0, both).flatMap((index) => [
    ...one.slice(index, index + 1),
    ...(index < lag ? [] : other.slice(index - lag, index - lag + 1)),
  ]);
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
