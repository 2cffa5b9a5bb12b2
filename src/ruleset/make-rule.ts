import type { Match, Paths, Rule, Verdict } from "./ruleset.js";

/** Makes a rule that only decides where a packet goes. */
export function decide(from: Paths, matches: readonly Match[], verdict: Verdict): Rule {
  return { from, matches, effects: [], verdict };
}
