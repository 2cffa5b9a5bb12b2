import type { Step } from "../policy/step.js";
import type { Match, Paths, Rule } from "./ruleset.js";

/** Where packets begin to matter: those that look like a first step, or that are a right token. */
export interface Begin {
  readonly kind: Step["kind"];
  /** The gates that such a packet is for. */
  readonly from: Paths;
  /** Finds such packets among all of their kind. */
  readonly match: Match;
  /** Sends them to the right gates. */
  readonly rule: Rule;
}
