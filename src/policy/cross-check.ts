import { type Finding, formatPath } from "./finding.js";
import { doPortRangesOverlap, isInPortRange, type PortRange, parsePortRange } from "./port.js";
import type { Gate } from "./schema.js";

/** A gate that is right by itself, with its place in the policy. */
export interface PlacedGate {
  readonly index: number;
  readonly gate: Gate;
}

interface ProtectedRange {
  readonly path: string;
  readonly gate: string;
  readonly protocol: "tcp" | "udp";
  readonly range: PortRange;
}

/** Finds what is wrong between gates that are each right by themselves. */
export function crossCheckGates(gates: readonly PlacedGate[]): readonly Finding[] {
  const ranges = gates.flatMap(listProtectedRanges);
  return [...findSameNames(gates), ...findOverlaps(ranges), ...findProtectedSteps(gates, ranges)];
}

function listProtectedRanges({ index, gate }: PlacedGate): readonly ProtectedRange[] {
  return gate.protect.flatMap((entry, position) =>
    (["tcp", "udp"] as const).flatMap((protocol) => {
      const range = parsePortRange(entry[protocol] ?? "");
      if (range === undefined) return [];
      return [{ path: formatPath(["gates", index, "protect", position]), gate: gate.name, protocol, range }];
    }),
  );
}

function findSameNames(gates: readonly PlacedGate[]): readonly Finding[] {
  const seen = new Set<string>();
  return gates.flatMap(({ index, gate }) => {
    if (!seen.has(gate.name)) {
      seen.add(gate.name);
      return [];
    }
    return [
      {
        path: formatPath(["gates", index, "name"]),
        rule: "gate-name-taken",
        message: `is "${gate.name}", as an earlier gate is called.`,
        fix: "Give each gate of a policy its own name.",
      },
    ];
  });
}

/** A port behind two gates would open for the knock of neither, or of both: nobody could say which. */
function findOverlaps(ranges: readonly ProtectedRange[]): readonly Finding[] {
  const findings: Finding[] = [];
  const lastByProtocol = new Map<string, ProtectedRange>();
  for (const entry of [...ranges].sort((one, other) => one.range.first - other.range.first)) {
    const widest = lastByProtocol.get(entry.protocol);
    if (
      widest !== undefined &&
      widest.gate !== entry.gate &&
      doPortRangesOverlap(widest.range, entry.range)
    ) {
      findings.push({
        path: entry.path,
        rule: "port-behind-two-gates",
        message: `overlaps with ${widest.path} of gate "${widest.gate}".`,
        fix: "Protect each port by one gate only.",
      });
    }
    if (widest === undefined || entry.range.last > widest.range.last)
      lastByProtocol.set(entry.protocol, entry);
  }
  return findings;
}

/** What arrives at a protected port is gated, so it can't be counted as a step as well. */
function findProtectedSteps(
  gates: readonly PlacedGate[],
  ranges: readonly ProtectedRange[],
): readonly Finding[] {
  return gates.flatMap(({ index, gate }) =>
    gate.knock.steps.flatMap((step, position) =>
      (["tcp", "udp"] as const).flatMap((protocol) => {
        const port = step[protocol];
        const hit = ranges.find(
          (entry) => entry.protocol === protocol && port !== undefined && isInPortRange(port, entry.range),
        );
        if (hit === undefined) return [];
        return [
          {
            path: formatPath(["gates", index, "knock", "steps", position, protocol]),
            rule: "step-on-protected-port",
            message: `is a port that gate "${hit.gate}" protects.`,
            fix: "Choose a port that no gate protects and no service uses.",
          },
        ];
      }),
    ),
  );
}
