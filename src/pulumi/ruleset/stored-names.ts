/** Arguments that a preview shows by themselves. */
export const shownNames = ["undoAfterSeconds", "adopt", "deleteUnreachable", "health"] as const;

/**
 * Arguments that stored inputs do not show, and but for the policy do not have. A preview shows labels of them in
 * `ruleset` and `reachedBy`.
 */
export const hiddenNames = [
  ...(["connection", "policy", "proveFrom", "behind", "hopProfiles"] as const),
  ...(["recordFailure", "keepFormer", "origin"] as const),
];

/** What `check` or a refresh fills in, and a preview shows. */
export const filledNames = ["drift", "reachedBy"] as const;

/**
 * What a change or a refresh finds, and a program reads or a person looks up in the state. The last two are there
 * because the preview of a replacement compares outputs.
 */
export const foundNames = [
  ...(["drift", "counters", "failure", "lastChange"] as const),
  ...(["reachedBy", "undoAfterSeconds"] as const),
];

/** What a stored state has in one secret property. */
export const sealedNames = [
  ...shownNames,
  ...hiddenNames,
  ...(["redactionKey", "digest", "obstacles", "former"] as const),
];

/** The properties of stored inputs. Pulumi adds its own. */
export type StoredInputName =
  | (typeof shownNames)[number]
  | (typeof filledNames)[number]
  | "ruleset"
  | "sealed";

/** The properties of a stored state. */
export type StoredStateName = (typeof foundNames)[number] | "sealed";
