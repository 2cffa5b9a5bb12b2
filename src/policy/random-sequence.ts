import { createHmac } from "node:crypto";
import { KnockgateError } from "../errors.js";
import { payloadBytesOf, portOf, type Step, writeStep } from "./step.js";

/** Kinds of steps that a sequence can be made of. */
export type StepKind = "tcp" | "udp" | "icmp";

/** What {@link randomSequence} makes a sequence from. */
export interface SequenceOptions {
  /** A secret of at least 16 characters from a random generator; the same one serves all policies. */
  readonly seed: string;
  /** The policy's name. */
  readonly policy: string;
  /** The gate's name, where a policy has several. Default: none. */
  readonly gate?: string;
  /** To rotate the sequence, count this up. Default: 1. */
  readonly generation?: number;
  /** How many steps: 3 to 16. Default: 4. */
  readonly steps?: number;
  /** What they may be. Default: TCP and UDP. */
  readonly kinds?: readonly StepKind[];
}

/** One packet: just one of the fields is there, so that it fits a step's type however strict a program's compiler is. */
export interface SequenceStep {
  /** A TCP SYN to this port, 10,000 to 32,767. */
  readonly tcp?: number;
  /** A UDP datagram to this port, 10,000 to 32,767. */
  readonly udp?: number;
  /** An ICMP or ICMPv6 echo request with just this many bytes of payload. */
  readonly icmpPayloadBytes?: number;
}

/** Above what services use, and below what Linux gives to clients (ip_local_port_range begins at 32,768). */
const firstPort = 10_000;
const lastPort = 32_767;
/** Ports in between that services are known for, or that networks are known to drop. */
export const avoidedPorts: ReadonlySet<number> = new Set([10_000, 11_211, 25_565, 27_015, 27_017, 32_400]);
/** A port is this far from every other port of its sequence, so that no sweep sends one right after the other. */
const leastDistance = 16;
const largestPayloadBytes = 1_232;
const shortestSeed = 16;

/** For each kind of step: what the options of {@link randomSequence} call it. */
const kindNames: Readonly<Record<Step["kind"], StepKind>> = { tcp: "tcp", udp: "udp", icmpEcho: "icmp" };

/**
 * Makes a sequence of steps that nobody has to invent: always the same one for the same options, another one for every
 * policy, gate and generation. What it makes has nothing that the linter objects to. How it is made never changes, so
 * that an upgrade never rotates a knock, unless a new rule of the linter objects to that knock: another one is drawn
 * then in its place.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID`
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

/** Counter mode over HMAC-SHA-256; numbers are drawn evenly, by throwing away what would favour the small ones. */
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
      // No size is as large as any of them.
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

/** A plain sweep of all ports, of either protocol or both, can't have sent the steps in their order. */
function goesUpAndDown(steps: readonly Step[]): boolean {
  const ports = steps.flatMap((step) => portOf(step) ?? []);
  if (ports.length < 3) return true;
  const rises = ports.slice(1).map((port, index) => port > (ports[index] ?? 0));
  return rises.includes(true) && rises.includes(false);
}

/** No sweep of sizes, one by one or by a fixed number of bytes, sends two echo requests in a row, or all of them. */
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
        ? "generation is no whole number from 1"
        : !Number.isInteger(count) || count < 3 || count > 16
          ? "steps is no whole number from 3 to 16"
          : kinds.length === 0 || kinds.some((kind) => !Object.values(kindNames).includes(kind))
            ? "kinds has something else than tcp, udp and icmp, or nothing"
            : undefined;
  if (wrong !== undefined) throw new KnockgateError("ARGUMENTS_INVALID", `randomSequence: ${wrong}.`);
}
