import { formatPath } from "./finding.js";
import { isInPortRange, type Protocol } from "./port.js";
import { type ProtectedRange, readProtect } from "./protect.js";
import { listField, readField, readRight } from "./raw.js";
import { nameSchema, protectSchema, stepSchema } from "./schema.js";
import { readStep, type Step } from "./step.js";

/** The valid parts of a gate, with their places in the policy. */
export interface CheckedGate {
  readonly index: number;
  readonly name: string | undefined;
  readonly ranges: readonly PlacedRange[];
  readonly steps: readonly { readonly position: number; readonly step: Step }[];
}

/** A protected range, with its place in the policy. */
export interface PlacedRange extends ProtectedRange {
  readonly path: string;
  /** The gate's index in the policy. */
  readonly gate: number;
}

/** Reads the valid parts of a gate that may be wrong in others. */
export function checkGate(raw: unknown, index: number): CheckedGate {
  const protect = readRight(protectSchema, listField(raw, "protect"));
  return {
    index,
    name: nameSchema.safeParse(readField(raw, "name")).data,
    ranges: protect.flatMap(({ position, part }) =>
      readProtect(part).map((protectedRange) => {
        return { ...protectedRange, path: formatPath(["gates", index, "protect", position]), gate: index };
      }),
    ),
    steps: readRight(stepSchema, listField(readField(raw, "knock"), "steps")).map(({ position, part }) => {
      return { position, step: readStep(part) };
    }),
  };
}

/** Finds the range that protects a port. `undefined`: none does. */
export type FindPort = (protocol: Protocol, port: number) => PlacedRange | undefined;

/** Makes the search among the ranges of all gates. */
export function makeFindPort(gates: readonly CheckedGate[]): FindPort {
  const ranges = gates.flatMap((gate) => gate.ranges);
  const lookups = {
    tcp: makeLookup(ranges.filter((entry) => entry.protocol === "tcp")),
    udp: makeLookup(ranges.filter((entry) => entry.protocol === "udp")),
  };
  return (protocol, port) => lookups[protocol](port);
}

/** Makes a binary search for a range that contains a port: a policy can have thousands of ranges and steps. */
function makeLookup(ranges: readonly PlacedRange[]): (port: number) => PlacedRange | undefined {
  const sorted = [...ranges].sort((one, other) => one.range.first - other.range.first);
  // For each range, by first port: the range with the highest last port so far. From there on, it contains each port
  // that any range so far contains.
  const widest: PlacedRange[] = [];
  for (const entry of sorted) {
    const before = widest.at(-1);
    widest.push(before !== undefined && before.range.last >= entry.range.last ? before : entry);
  }
  return (port) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle]?.range.first ?? 0) <= port) low = middle + 1;
      else high = middle;
    }
    const hit = widest[low - 1];
    return hit !== undefined && isInPortRange(port, hit.range) ? hit : undefined;
  };
}
