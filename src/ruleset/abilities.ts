/** What a firewall can do, as far as the ruleset's tree depends on it. */
export interface Abilities {
  /** Whether a full set takes no new source. Otherwise it forgets its oldest one. */
  readonly refusesWhenFull: boolean;
  /** Whether a set has a size of its own. Such a set must keep its size as long as it keeps its name. */
  readonly hasSizedSets: boolean;
  /** Whether one rule can send packets to many chains. */
  readonly hasVerdictMaps: boolean;
  /** Whether, at input, an accept ends the way of a packet through the rules of others, too. */
  readonly hasFinalAccept: boolean;
  /** Whether a rule can look up a token in a set, and take it out of the set. */
  readonly hasTokens: boolean;
}
