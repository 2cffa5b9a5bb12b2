import type { PolicyPath } from "../policy/policy-path.js";

/** One line of a ruleset's text. */
export interface Line {
  readonly text: string;
  /** The parts of the policy that it comes from. Empty if every policy has this line. */
  readonly paths: readonly PolicyPath[];
}

/** Joins two lists of paths. Most lines have few, and there are many lines: nothing is copied without need. */
export function joinPaths(paths: Line["paths"], more: Line["paths"]): Line["paths"] {
  if (more.length === 0) return paths;
  return paths.length === 0 ? more : [...paths, ...more];
}

/** Joins lines to the text that a host loads. */
export function joinLines(lines: readonly Line[]): string {
  return `${lines.map(({ text }) => text).join("\n")}\n`;
}
