import { type Finding, formatPath } from "./finding.js";
import { doPortRangesOverlap, isInPortRange, protocols } from "./port.js";
import { type ProtectedRange, readProtect } from "./protect.js";
import { listField, readField, readRight } from "./raw.js";
import { nameSchema, protectSchema, stepSchema } from "./schema.js";
import { portOf, readStep, type Step, stepFields, stepProtocols } from "./step.js";

/** The valid parts of a gate, with their places in the policy. */
interface CheckedGate {
  readonly index: number;
  readonly name: string | undefined;
  readonly ranges: readonly PlacedRange[];
  readonly steps: readonly { readonly position: number; readonly step: Step }[];
}

interface PlacedRange extends ProtectedRange {
  readonly path: string;
  /** The gate's index in the policy. */
  readonly gate: number;
}

/**
 * Finds what is wrong between the parts of a policy. Takes the policy before it is parsed, because one wrong part must
 * not hide what is wrong between the others.
 */
export function crossCheckGates(raw: unknown): readonly Finding[] {
  const gates = listField(raw, "gates").map(placeGate);
  const ranges = gates.flatMap((gate) => gate.ranges);
  return [...findSameNames(gates), ...findOverlaps(ranges), ...findProtectedSteps(gates, ranges)];
}

function placeGate(raw: unknown, index: number): CheckedGate {
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

function findSameNames(gates: readonly CheckedGate[]): readonly Finding[] {
  const seen = new Set<string>();
  return gates.flatMap(({ index, name }) => {
    if (name === undefined) return [];
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [
      {
        path: formatPath(["gates", index, "name"]),
        rule: "gate-name-taken",
        message: `is "${name}", which is already the name of an earlier gate.`,
        fix: "Give each gate of a policy its own name.",
      },
    ];
  });
}

/** Two gates can't protect one port: the port would open for neither knock, or for both. */
function findOverlaps(ranges: readonly PlacedRange[]): readonly Finding[] {
  const sorted = [...ranges].sort((one, other) => one.range.first - other.range.first);
  return protocols.flatMap((protocol) => {
    const findings: Finding[] = [];
    let widest: PlacedRange | undefined;
    for (const entry of sorted.filter((candidate) => candidate.protocol === protocol)) {
      if (
        widest !== undefined &&
        widest.gate !== entry.gate &&
        doPortRangesOverlap(widest.range, entry.range)
      ) {
        findings.push({
          path: entry.path,
          rule: "port-behind-two-gates",
          message: `overlaps with ${widest.path}.`,
          fix: "Protect each port by one gate only.",
        });
      }
      if (widest === undefined || entry.range.last > widest.range.last) widest = entry;
    }
    return findings;
  });
}

/** A packet to a protected port is gated, so it can't be a step as well. */
function findProtectedSteps(
  gates: readonly CheckedGate[],
  ranges: readonly PlacedRange[],
): readonly Finding[] {
  const lookups = {
    tcp: makeLookup(ranges.filter((entry) => entry.protocol === "tcp")),
    udp: makeLookup(ranges.filter((entry) => entry.protocol === "udp")),
  };
  return gates.flatMap(({ index, steps }) =>
    steps.flatMap(({ position, step }) => {
      const [protocol, port] = [stepProtocols[step.kind], portOf(step)];
      const hit = protocol === undefined || port === undefined ? undefined : lookups[protocol](port);
      if (hit === undefined) return [];
      return [
        {
          path: formatPath(["gates", index, "knock", "steps", position, stepFields[step.kind]]),
          rule: "step-on-protected-port",
          message: `is a port that ${hit.path} protects.`,
          fix: "Choose a port that no gate protects and no service uses.",
        },
      ];
    }),
  );
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
