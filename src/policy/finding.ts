import { escapeLine } from "../printable.js";

/** One thing wrong with a policy. */
export interface Finding {
  /** Where, as a path into the policy: `gates[0].knock.steps[1].tcp`; `policy` for the whole. */
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

/** A finding of a policy that is itself a field. */
export function placeBelowPolicy<T extends Finding>(found: T): T {
  return { ...found, path: found.path === "policy" ? "policy" : `policy.${found.path}` };
}

/** Says what is wrong and what to do on one line, without the path. */
function describeFinding({ message, fix, rule }: Finding): string {
  return escapeLine(`${message} Fix: ${fix} [${rule}]`);
}

/** Says a whole finding on one line. */
export function formatFinding(found: Finding): string {
  return `${escapeLine(found.path)}: ${describeFinding(found)}`;
}

/** Writes findings as lines for a person. */
export function formatFindings(findings: readonly Finding[]): string {
  return findings.map(formatFinding).join("\n");
}
