import {
  type CheckedGate,
  checkGate,
  type FindPort,
  makeFindPort,
  type PlacedRange,
} from "./checked-gate.js";
import { type Finding, formatPath } from "./finding.js";
import { doPortRangesOverlap, protocols } from "./port.js";
import { listField } from "./raw.js";
import { portOf, stepFields, stepProtocols } from "./step.js";

/**
 * Finds what is wrong between the parts of a policy. Takes the policy before it is parsed, because one wrong part must
 * not hide what is wrong between the others.
 */
export function crossCheckGates(raw: unknown): readonly Finding[] {
  const gates = listField(raw, "gates").map(checkGate);
  const ranges = gates.flatMap((gate) => gate.ranges);
  return [
    ...findSameNames(gates),
    ...findOverlaps(ranges),
    ...findProtectedSteps(gates, makeFindPort(gates)),
  ];
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
function findProtectedSteps(gates: readonly CheckedGate[], findPort: FindPort): readonly Finding[] {
  return gates.flatMap(({ index, steps }) =>
    steps.flatMap(({ position, step }) => {
      const [protocol, port] = [stepProtocols[step.kind], portOf(step)];
      const hit = protocol === undefined || port === undefined ? undefined : findPort(protocol, port);
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
