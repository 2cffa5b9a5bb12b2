/** Makes a part, with the lines that come from it. */
export type MakePart = (path: string, name: string, meaning: string) => Part;

/** A part of a policy, what it means, and which lines come from it. */
export interface Part {
  /** Its path in the policy. Each part of an explanation has its own path. */
  readonly path: string;
  readonly name: string;
  readonly meaning: string;
  /** The numbers of the ruleset's lines that come from it. For a part of a gate: the gate's lines that depend on it. */
  readonly lines: readonly number[];
}
