import { createHmac } from "node:crypto";
import { KnockgateError } from "../errors.js";
import { payloadBytesOf, portOf, type Step, writeStep } from "./step.js";

/** Kinds of steps that a sequence can be made of. */
export type StepKind = "tcp" | "udp" | "icmp";

/** The options of {@link randomSequence}. */
export interface SequenceOptions {
  /** A secret from a random generator, at least 16 characters. One seed can serve all policies. */
  readonly seed: string;
  /** The policy's name. */
  readonly policy: string;
  /** The gate's name. Needed if a policy has several gates. Default: none. */
  readonly gate?: string;
  /** Counts rotations: increase it to get a new sequence. A whole number from 1. Default: 1. */
  readonly generation?: number;
  /** The number of steps, 3 to 16. Default: 4. */
  readonly steps?: number;
  /** The kinds of steps to choose from. Default: TCP and UDP. */
  readonly kinds?: readonly StepKind[];
}

/**
 * One packet. Exactly one of the fields is there. The others are absent, not `undefined`, so it fits a step's type even
 * with a strict compiler (`exactOptionalPropertyTypes`).
 */
export interface SequenceStep {
  /** A TCP SYN to this port, 10,000 to 32,767. */
  readonly tcp?: number;
  /** A UDP datagram to this port, 10,000 to 32,767. */
  readonly udp?: number;
  /** An ICMP or ICMPv6 echo request with exactly this many bytes of payload, 0 to 1,232. */
  readonly icmpPayloadBytes?: number;
}

/**
 * Above the ports of services, and below the ports that Linux gives to clients (ip_local_port_range begins at 32,768).
 */
const firstPort = 10_000;
const lastPort = 32_767;
/** Ports in this range that known services use, or that networks are known to drop. */
export const avoidedPorts: ReadonlySet<number> = new Set([10_000, 11_211, 25_565, 27_015, 27_017, 32_400]);
/** The least distance between two ports of a sequence, so that no sweep sends one right after the other. */
const leastDistance = 16;
const largestPayloadBytes = 1_232;
const shortestSeed = 16;

/** The name of each kind of step in the options of {@link randomSequence}. */
const kindNames: Readonly<Record<Step["kind"], StepKind>> = { tcp: "tcp", udp: "udp", icmpEcho: "icmp" };

/**
 * Makes a sequence of steps from a seed, so that nobody has to invent one. The same options always give the same
 * sequence. Each policy, gate and generation gets another one. The linter has no objection to any of them.
 *
 * The algorithm never changes, so an upgrade never rotates a knock. The only exception: if a new rule of the linter
 * objects to a knock, another knock is drawn in its place.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID`: the seed has fewer than 16 characters, or another option is out of its
 *   range.
 * @example
 * const seed = config.requireSecret("knockSeed");
 * const steps = seed.apply((seed) => randomSequence({ seed, policy: "edge", generation: 3 }));
 */
export function randomSequence(options: SequenceOptions): SequenceStep[] {
  const { seed, policy, gate = "", generation = 1, steps: count = 4, kinds = ["tcp", "udp"] } = options;
  refuseWrong(seed, generation, count, kinds);
  const about = ["knockgate sequence 1", policy, gate, generation, count, [...kinds].sort().join(" ")];
  const draw = makeGenerator(seed, about.join("\n"));
  for (;;) {
    const steps = drawSteps(count, [...kinds].sort(), draw);
    if (goesUpAndDown(steps) && hasSizesApart(steps)) return steps.map(writeStep);
  }
}

type Draw = (below: number) => number;

/** Counter mode over HMAC-SHA-256. Numbers are uniform: words that would favour small numbers are thrown away. */
function makeGenerator(seed: string, about: string): Draw {
  let block = Buffer.alloc(0);
  let blocks = 0;
  const next = (): number => {
    if (block.length < 4) {
      blocks += 1;
      block = createHmac("sha256", seed).update(`${about}\n${blocks}`).digest();
    }
    const word = block.readUInt32BE(0);
    block = block.subarray(4);
    return word;
  };
  return (below) => {
    const limit = 2 ** 32 - (2 ** 32 % below);
    for (;;) {
      const word = next();
      if (word < limit) return word % below;
    }
  };
}

function drawSteps(count: number, kinds: readonly StepKind[], draw: Draw): readonly Step[] {
  const ports: number[] = [];
  const sizes: number[] = [];
  const drawApart = (taken: number[], first: number, last: number, distance: number): number => {
    for (;;) {
      const value = first + draw(last - first + 1);
      // The avoided ports are all larger than any size.
      if (avoidedPorts.has(value)) continue;
      if (taken.some((other) => Math.abs(other - value) < distance)) continue;
      taken.push(value);
      return value;
    }
  };
  const drawPort = () => drawApart(ports, firstPort, lastPort, leastDistance);
  const drawOf: Readonly<Record<StepKind, () => Step>> = {
    tcp: () => ({ kind: "tcp", port: drawPort() }),
    udp: () => ({ kind: "udp", port: drawPort() }),
    icmp: () => ({ kind: "icmpEcho", payloadBytes: drawApart(sizes, 0, largestPayloadBytes, 1) }),
  };
  return Array.from({ length: count }, () => drawOf[kinds[draw(kinds.length)] ?? "tcp"]());
}

/** Whether no plain sweep of all ports, of one protocol or both, can send the steps in their order. */
function goesUpAndDown(steps: readonly Step[]): boolean {
  const ports = steps.flatMap((step) => portOf(step) ?? []);
  if (ports.length < 3) return true;
  const rises = ports.slice(1).map((port, index) => port > (ports[index] ?? 0));
  return rises.includes(true) && rises.includes(false);
}

/**
 * Whether no sweep of sizes, one by one or by a fixed number of bytes, sends two echo requests in a row, or all of
 * them.
 */
function hasSizesApart(steps: readonly Step[]): boolean {
  const sizes = steps.map(payloadBytesOf);
  const growths = sizes.slice(1).map((size, index) => {
    const before = sizes[index];
    return before === undefined || size === undefined ? undefined : size - before;
  });
  const isEven = growths[0] !== undefined && growths.every((growth) => growth === growths[0]);
  return !isEven && growths.every((growth) => growth === undefined || Math.abs(growth) > 1);
}

function refuseWrong(seed: string, generation: number, count: number, kinds: readonly StepKind[]): void {
  const wrong =
    seed.length < shortestSeed
      ? `seed has fewer than ${shortestSeed} characters: make one with \`openssl rand -hex 32\``
      : !Number.isSafeInteger(generation) || generation < 1
        ? "generation is not a whole number of at least 1"
        : !Number.isInteger(count) || count < 3 || count > 16
          ? "steps is not a whole number from 3 to 16"
          : kinds.length === 0 || kinds.some((kind) => !Object.values(kindNames).includes(kind))
            ? "kinds is empty, or has an entry other than tcp, udp and icmp"
            : undefined;
  if (wrong !== undefined) throw new KnockgateError("ARGUMENTS_INVALID", `randomSequence: ${wrong}.`);
}
