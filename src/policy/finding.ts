import { escapeLine } from "../printable.js";

/** One thing wrong with a policy. */
export interface Finding {
  /**
   * Where: a path into the policy, for example `gates[0].knock.steps[1].tcp`. The path of the whole policy is `policy`.
   */
  readonly path: string;
  /** Which rule found it: a stable word in kebab case. */
  readonly rule: string;
  /** What is wrong. Never holds a step's value: steps are secret. */
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
}

/**
 * Writes a path the way findings show it.
 *
 * @param whole what the empty path is called
 */
export function formatPath(path: readonly PropertyKey[], whole = "policy"): string {
  const text = path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
  return text === "" ? whole : text;
}

/** Moves a finding's path below the field `policy`. */
export function placeBelowPolicy<T extends Finding>(found: T): T {
  return { ...found, path: found.path === "policy" ? "policy" : `policy.${found.path}` };
}

/** Writes the message, the fix and the rule on one line, without the path. */
function describeFinding({ message, fix, rule }: Finding): string {
  return escapeLine(`${message} Fix: ${fix} [${rule}]`);
}

/** Writes a whole finding on one line. */
export function formatFinding(found: Finding): string {
  return `${escapeLine(found.path)}: ${describeFinding(found)}`;
}

/** Writes findings as lines for a person. */
export function formatFindings(findings: readonly Finding[]): string {
  return findings.map(formatFinding).join("\n");
}
