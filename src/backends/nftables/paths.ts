import type { Effect, Match, Paths, Rule, Verdict } from "../../ruleset/ruleset.js";
import { joinPaths } from "../line.js";

/**
 * Lists what a rule's lines come from: the rule, and all that nftables prints in it. In nftables, the rule that puts a
 * source into a set gives it its timeout.
 */
export function listRulePaths({ from, matches, effects, verdict }: Rule): Paths {
  const ofMatches = matches.reduce<Paths>((paths, match) => joinPaths(paths, listMatchPaths(match)), from);
  const ofEffects = effects.reduce<Paths>(
    (paths, effect) => joinPaths(paths, listEffectPaths(effect)),
    ofMatches,
  );
  return verdict === undefined ? ofEffects : joinPaths(ofEffects, listVerdictPaths(verdict));
}

function listMatchPaths(match: Match): Paths {
  switch (match.kind) {
    case "step":
      return [match.step.path];
    case "anyStep":
      return match.steps.map(({ path }) => path);
    case "loopback":
    case "notLocal":
    case "ofFamily":
    case "established":
    case "related":
    case "fromPrefixes":
    case "notLinkLocal":
    case "tcpSyn":
    case "udp":
    case "icmpEcho":
    case "token":
    case "inSet":
    case "notInSet":
    case "overRate":
      return [];
  }
}

function listEffectPaths(effect: Effect): Paths {
  switch (effect.kind) {
    case "addSource":
      return effect.timeoutFrom;
    case "deleteSource":
    case "deleteToken":
    case "count":
    case "log":
      return [];
  }
}

function listVerdictPaths(verdict: Verdict): Paths {
  switch (verdict.kind) {
    case "accept":
    case "drop":
    case "return":
      return verdict.from ?? [];
    case "goto":
    case "jump":
      return [];
    case "dispatch":
      return verdict.entries.flatMap(({ from }) => from);
    case "dispatchSteps":
      return verdict.entries
        .filter(({ step }) => step.packet.kind === verdict.stepKind)
        .map(({ step }) => step.path);
  }
}
