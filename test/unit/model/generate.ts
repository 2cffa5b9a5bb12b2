import fc from "fast-check";
import { stepsOf } from "../../../src/policy/knock";
import type { Gate, Policy, PolicyInput } from "../../../src/policy/policy";
import { type Step, writeStep } from "../../../src/policy/step";
import { readPolicy } from "../policy/read-policy";

type Backend = Policy["backend"];

/** A packet as a sender makes it. Sources and times are added later. */
export type Shape =
  | { readonly kind: "tcp"; readonly port: number }
  | { readonly kind: "udp"; readonly port: number; readonly payloadBytes: number }
  | { readonly kind: "echo"; readonly payloadBytes: number };

/** What happens to a gate, move by move. The same object twice is one packet that the network doubled. */
export type Move =
  | {
      readonly kind: "packet";
      readonly shape: Shape;
      /** Whether it comes from the second machine, which is in the same network. */
      readonly isOther: boolean;
      readonly isOtherFamily: boolean;
    }
  /** Longer than the shorter of the two times in generated policies. */
  | { readonly kind: "pause" }
  /** Tries each door from each source. */
  | { readonly kind: "look" };

/** What one machine sends, with packets of a second machine in between. */
export interface Series {
  readonly moves: readonly Move[];
  readonly isIpv6: boolean;
  /** The network of {@link networks} in which both machines are. */
  readonly network: number;
}

export interface Trial {
  readonly policy: Policy;
  readonly series: readonly Series[];
}

/** By number: in no list, in denyFrom, in allowFrom, in both. */
const networks = [0, 1, 2, 3] as const;
const denyFrom = ["198.18.64.0/18", "198.18.192.0/18", "fd88:0:0:1::/64", "fd88:0:0:3::/64"];
const allowFrom = ["198.18.128.0/17", "fd88:0:0:2::/63"];

/** The pause before late moves. A policy's times are much shorter, or much longer than a series. */
export const pauseMs = 1_600;
const shortSeconds = 1;
const longSeconds = 60;
const mostPauses = 2;

/** Few ports near to each other, so that steps repeat, gates share them, and sweeps hit them. */
const firstPort = 20_000;
const lastPort = 20_009;
const port = fc.integer({ min: firstPort, max: lastPort });
const udpBytes = fc.constantFrom(0, 5, 6);
const echoBytes = fc.constantFrom(40, 41, 56);

/** A policy, and series of packets that are nearly its knocks. */
export function trial(backend: Backend, seriesCount: number): fc.Arbitrary<Trial> {
  return policy(backend).chain((made) =>
    fc
      .array(series(made), { minLength: seriesCount, maxLength: seriesCount })
      .map((list) => ({ policy: made, series: list })),
  );
}

function policy(backend: Backend): fc.Arbitrary<Policy> {
  return fc
    .record({
      gates: gates(backend),
      isDenying: oneIn(4),
      isAllowing: oneIn(4),
      isStealthy: oneIn(5),
      isBeforeNat: oneIn(4),
      isLogging: oneIn(6),
    })
    .map((made) =>
      readPolicy({
        name: "model",
        gates: made.gates,
        backend,
        denyFrom: made.isDenying ? denyFrom : [],
        allowFrom: made.isAllowing ? allowFrom : [],
        stealth: made.isStealthy,
        scope: made.isBeforeNat ? "prerouting" : "input",
        ...(made.isLogging ? { log: { events: ["opened", "accepted", "dropped", "reset"] } } : {}),
        limits: { firstStepsPerSecond: 0 },
      }),
    );
}

type GateInput = PolicyInput["gates"][number];

function gates(backend: Backend): fc.Arbitrary<GateInput[]> {
  const relation = fc.constantFrom("own", "same", "prefix", "forked", "suffix");
  const gate = fc.record({
    steps: fc.oneof(
      { weight: 5, arbitrary: fc.array(step(), { minLength: 1, maxLength: 6 }) },
      { weight: 4, arbitrary: repetitiveSteps() },
      { weight: 1, arbitrary: fc.array(step(), { minLength: 16, maxLength: 16 }) },
    ),
    relation,
    cut: fc.integer({ min: 1, max: 6 }),
    strict: fc.integer({ min: 0, max: 3 }).map((value) => value > 0),
    stepTimeoutSeconds: fc.constantFrom(shortSeconds, longSeconds),
    openForSeconds: fc.constantFrom(longSeconds, longSeconds, shortSeconds),
    protect: fc.constantFrom("tcp", "tcp", "range", "both", "both", "udp"),
  });
  const few = fc.array(gate, { minLength: 1, maxLength: 3 });
  // More first steps, and more protected ports, than iptables matches in one rule.
  const many = fc.array(gate, { minLength: 16, maxLength: 18 });
  const lists = fc.oneof(
    { weight: 7, arbitrary: fc.record({ list: few, isApart: fc.constant(false) }) },
    { weight: 1, arbitrary: fc.record({ list: many, isApart: fc.boolean() }) },
  );
  return lists.map(({ list, isApart }) => {
    const first = list[0]?.steps ?? [];
    return list.map(({ steps, relation: how, cut, protect, strict, ...times }, index): GateInput => {
      const related: readonly Step[] = index === 0 || isApart ? steps : relate(how, first, steps, cut);
      return {
        name: ["ssh", "web", "db"][index] ?? `gate${index}`,
        protect: listProtected(protect, 4_000 + 10 * index),
        knock: {
          steps: dropAlike(isApart ? related.map((each) => moveApart(each, index)) : related, backend).map(
            writeStep,
          ),
          strict,
          stepTimeoutSeconds: times.stepTimeoutSeconds,
        },
        openForSeconds: times.openForSeconds,
      };
    });
  });
}

function relate(how: string, first: readonly Step[], own: readonly Step[], cut: number): readonly Step[] {
  if (how === "same") return first;
  if (how === "prefix") return first.slice(0, cut);
  if (how === "forked") return [...first.slice(0, cut), ...own].slice(0, 16);
  return how === "suffix" ? first.slice(Math.min(cut, first.length - 1)) : own;
}

/** Gives a gate ports of its own, all but two, so that only some gates share a step. */
function moveApart(one: Step, index: number): Step {
  switch (one.kind) {
    case "tcp":
    case "udp":
      return { ...one, port: one.port + 8 * index };
    case "icmpEcho":
      return { ...one, payloadBytes: one.payloadBytes + 20 * index };
  }
}

function listProtected(what: string, base: number): GateInput["protect"] {
  if (what === "udp") return [{ udp: `${base}` }];
  if (what === "both") return [{ tcp: `${base}` }, { udp: `${base}-${base + 2}` }];
  return [{ tcp: what === "range" ? `${base}-${base + 3}` : `${base}` }];
}

function step(): fc.Arbitrary<Step> {
  return fc.oneof(
    { weight: 5, arbitrary: port.map((at): Step => ({ kind: "tcp", port: at })) },
    { weight: 2, arbitrary: port.map((at): Step => ({ kind: "udp", port: at })) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(port, udpBytes)
        .map(([at, payloadBytes]): Step => ({ kind: "udp", port: at, payloadBytes })),
    },
    { weight: 2, arbitrary: echoBytes.map((payloadBytes): Step => ({ kind: "icmpEcho", payloadBytes })) },
  );
}

/** Two or three equal steps, next to each other or apart. */
function repetitiveSteps(): fc.Arbitrary<readonly Step[]> {
  const places = fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 2 });
  return fc
    .tuple(fc.array(step(), { minLength: 1, maxLength: 4 }), step(), places)
    .map(([others, one, list]) => {
      return list.reduce<readonly Step[]>((steps, place) => steps.toSpliced(place, 0, one), [one, ...others]);
    });
}

/** Drops steps that equal the one before where the linter refuses them: echo requests, and with iptables all steps. */
function dropAlike(steps: readonly Step[], backend: Backend): Step[] {
  const kept: Step[] = [];
  for (const each of steps) {
    const before = kept.at(-1);
    const isAlike = before !== undefined && matches(each, shapeOf(before)) && matches(before, shapeOf(each));
    const isSamePort = before?.kind === "udp" && each.kind === "udp" && before.port === each.port;
    const isRefused = backend === "iptables" ? isAlike || isSamePort : each.kind === "icmpEcho" && isAlike;
    if (!isRefused) kept.push(each);
  }
  return kept;
}

function matches(one: Step, shape: Shape): boolean {
  switch (one.kind) {
    case "tcp":
      return shape.kind === "tcp" && shape.port === one.port;
    case "udp":
      return (
        shape.kind === "udp" &&
        shape.port === one.port &&
        (one.payloadBytes ?? shape.payloadBytes) === shape.payloadBytes
      );
    case "icmpEcho":
      return shape.kind === "echo" && shape.payloadBytes === one.payloadBytes;
  }
}

/** A step's packet. */
function shapeOf(one: Step): Shape {
  switch (one.kind) {
    case "tcp":
      return { kind: "tcp", port: one.port };
    case "udp":
      return { kind: "udp", port: one.port, payloadBytes: one.payloadBytes ?? 3 };
    case "icmpEcho":
      return { kind: "echo", payloadBytes: one.payloadBytes };
  }
}

function series(made: Policy): fc.Arbitrary<Series> {
  const hasLists = made.denyFrom.length + made.allowFrom.length > 0;
  const network = fc.constantFrom(...(hasLists ? [0, 0, 0, ...networks] : [0]));
  const attempts = fc.array(
    fc.oneof({ weight: 7, arbitrary: attempt(made) }, { weight: 1, arbitrary: sweep() }),
    {
      minLength: 1,
      maxLength: 3,
    },
  );
  return fc.record({ moves: attempts.map((list) => fewPauses(list.flat())), isIpv6: fc.boolean(), network });
}

function fewPauses(moves: readonly Move[]): readonly Move[] {
  let left = mostPauses;
  return moves.filter((move) => move.kind !== "pause" || left-- > 0);
}

/** One gate's knock, with up to three mistakes. */
function attempt(made: Policy): fc.Arbitrary<readonly Move[]> {
  const mutation = fc.record({
    how: fc.constantFrom(...mutationNames),
    at: fc.nat({ max: 15 }),
    stray: strayShape(made),
  });
  return fc
    .tuple(fc.constantFrom(...made.gates), fc.array(mutation, { maxLength: 3 }))
    .map(([gate, list]) => list.reduce<readonly Move[]>((moves, each) => mutate(moves, each), knockOf(gate)));
}

function knockOf(gate: Gate): readonly Move[] {
  return stepsOf(gate).map((one) => send(shapeOf(one)));
}

function send(shape: Shape): Move {
  return { kind: "packet", shape, isOther: false, isOtherFamily: false };
}

/** All ports from some port on, in order, as a scanner sends them. */
function sweep(): fc.Arbitrary<readonly Move[]> {
  return fc
    .record({ isUdp: fc.boolean(), isDown: fc.boolean(), from: port })
    .map(({ isUdp, isDown, from }) => {
      const ports = Array.from({ length: lastPort + 1 - from }, (_, index) => from + index);
      const shapes = ports.map((each): Shape => {
        return isUdp ? { kind: "udp", port: each, payloadBytes: 0 } : { kind: "tcp", port: each };
      });
      return (isDown ? shapes.reverse() : shapes).map(send);
    });
}

/** A step of a gate, a packet that is close to one, or a packet to a protected port. */
function strayShape(made: Policy): fc.Arbitrary<Shape> {
  const steps = made.gates.flatMap((gate) => stepsOf(gate).map(shapeOf));
  return fc.oneof(
    fc.constantFrom(...steps),
    fc.constantFrom(...made.gates.flatMap(doorShapes)),
    port.map((each): Shape => ({ kind: "tcp", port: each })),
    fc
      .tuple(port, udpBytes)
      .map(([each, bytes]): Shape => ({ kind: "udp", port: each, payloadBytes: bytes })),
    echoBytes.map((bytes): Shape => ({ kind: "echo", payloadBytes: bytes })),
  );
}

/** Two packets for each range that a gate protects: to its first and to its last port. */
export function doorShapes(gate: Gate): readonly Shape[] {
  return gate.protect.flatMap(({ tcp, udp }) =>
    (tcp ?? udp ?? "").split("-").map((text): Shape => {
      return tcp === undefined
        ? { kind: "udp", port: Number(text), payloadBytes: 3 }
        : { kind: "tcp", port: Number(text) };
    }),
  );
}

const mutationNames = [
  ...([
    "cut",
    "behead",
    "swap",
    "omit",
    "insert",
    "insert",
    "pause",
    "pause",
    "other",
    "other family",
  ] as const),
  ...(["protocol", "size", "double", "double late", "twice", "look", "reverse", "again"] as const),
] as const;

interface Mutation {
  readonly how: (typeof mutationNames)[number];
  readonly at: number;
  readonly stray: Shape;
}

function mutate(moves: readonly Move[], { how, at, stray }: Mutation): readonly Move[] {
  const index = at % Math.max(1, moves.length);
  const here = moves[index];
  if (here === undefined) return moves;
  const [before, behind] = [moves.slice(0, index), moves.slice(index + 1)];
  const [next, ...rest] = behind;
  const change = (more: Partial<Extract<Move, { kind: "packet" }>>): readonly Move[] => {
    return here.kind === "packet" ? [...before, { ...here, ...more }, ...behind] : moves;
  };
  switch (how) {
    case "cut":
      return before;
    case "behead":
      return behind;
    case "swap":
      return next === undefined ? moves : [...before, next, here, ...rest];
    case "omit":
      return [...before, ...behind];
    case "insert":
      return [...before, send(stray), here, ...behind];
    case "pause":
      return [...before, { kind: "pause" }, here, ...behind];
    case "look":
      return [...before, { kind: "look" }, here, ...behind];
    case "other":
      return change({ isOther: true });
    case "other family":
      return change({ isOtherFamily: true });
    case "protocol":
      return here.kind === "packet" ? change({ shape: ofOtherProtocol(here.shape) }) : moves;
    case "size":
      return here.kind === "packet" ? change({ shape: ofOtherSize(here.shape) }) : moves;
    case "double":
      return [...before, here, here, ...behind];
    case "double late":
      return next === undefined ? moves : [...before, here, next, here, ...rest];
    case "twice":
      return here.kind === "packet" ? [...before, here, { ...here }, ...behind] : moves;
    case "again":
      // From the same source ports, as from a client that reuses them.
      return [...moves, send(stray), ...moves];
    case "reverse":
      return [...moves].reverse();
  }
}

function ofOtherProtocol(shape: Shape): Shape {
  if (shape.kind === "tcp") return { kind: "udp", port: shape.port, payloadBytes: 5 };
  if (shape.kind === "udp") return { kind: "tcp", port: shape.port };
  return { kind: "udp", port: firstPort, payloadBytes: shape.payloadBytes };
}

function ofOtherSize(shape: Shape): Shape {
  return shape.kind === "tcp" ? shape : { ...shape, payloadBytes: shape.payloadBytes + 1 };
}

function oneIn(count: number): fc.Arbitrary<boolean> {
  return fc.integer({ min: 1, max: count }).map((value) => value === count);
}
