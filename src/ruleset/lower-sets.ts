import type { Policy } from "../policy/policy.js";
import type { PlacedGate } from "../policy/policy-path.js";
import type { SourceSet } from "./ruleset.js";
import { openSet, packetSet, progressSet, rateSet } from "./set-names.js";
import { firstAlike, listStepMatches, looksLikeNext, type PlacedSequence } from "./step-match.js";

/** Lowers the sets of a gate with a sequence. */
export function lowerSets(policy: Policy, gate: PlacedSequence): readonly SourceSet[] {
  const { name, paths } = gate;
  const steps = listStepMatches(gate);
  const { stepTimeoutSeconds } = gate.knock;
  const { sources: size, firstStepsPerSecond } = policy.limits;
  const common = { from: [paths.gate], size, sizeFrom: ["limits.sources"] } as const;
  const progress = {
    ...common,
    role: "progress",
    timeoutSeconds: stepTimeoutSeconds,
    timeoutFrom: [paths.stepTimeout],
  } as const;
  const rate: SourceSet = {
    ...common,
    name: rateSet(name),
    key: "network",
    role: "progress",
    timeoutSeconds: 10,
    timeoutFrom: [],
  };
  return [
    ...steps.slice(0, -1).flatMap(({ position }): readonly SourceSet[] => {
      const sources: SourceSet = { ...progress, name: progressSet(name, position), key: "source" };
      const beginsRun = looksLikeNext(steps, position) && position === firstAlike(steps, position);
      if (!beginsRun) return [sources];
      // As long as the whole sequence may take: until then, a client may send its first packet again.
      const timeoutSeconds = stepTimeoutSeconds * steps.length;
      return [sources, { ...progress, name: packetSet(name, position), key: "packet", timeoutSeconds }];
    }),
    lowerOpen(policy, gate),
    ...(firstStepsPerSecond === 0 ? [] : [rate]),
  ];
}

/** The sources for which a gate's door is open. */
export function lowerOpen({ limits }: Policy, { name, paths, openForSeconds }: PlacedGate): SourceSet {
  return {
    name: openSet(name),
    from: [paths.gate],
    key: "source",
    role: "open",
    timeoutSeconds: openForSeconds,
    timeoutFrom: [paths.openFor],
    size: limits.sources,
    sizeFrom: ["limits.sources"],
  };
}

/**
 * Lowers a set of all sources that may be in mid-knock at one of these gates. The set keeps a source one second longer
 * than the source can be in mid-knock. It has room for `limits.sources` of each gate, and for another `limits.sources`
 * that are no longer in mid-knock. So a gate's own sets are full before this set is, unless another gate has a much
 * longer timeout.
 */
export function lowerMidKnock({ limits }: Policy, name: string, gates: readonly PlacedSequence[]): SourceSet {
  return {
    name,
    from: gates.map(({ paths }) => paths.gate),
    key: "source",
    role: "progress",
    timeoutSeconds: 1 + Math.max(...gates.map(({ knock }) => knock.stepTimeoutSeconds)),
    timeoutFrom: gates.map(({ paths }) => paths.stepTimeout),
    size: limits.sources * (1 + gates.length),
    sizeFrom: ["limits.sources"],
  };
}
