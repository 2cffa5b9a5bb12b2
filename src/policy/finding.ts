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

/** Writes a path the way findings show it. */
export function formatPath(path: readonly PropertyKey[]): string {
  const text = path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
  return text === "" ? "policy" : text;
}

/** Says what is wrong and what to do, without the path. */
export function describeFinding({ message, fix, rule }: Finding): string {
  return `${message} Fix: ${fix} [${rule}]`;
}

/** Writes findings as lines for a person. */
export function formatFindings(findings: readonly Finding[]): string {
  return findings.map((found) => `${found.path}: ${describeFinding(found)}`).join("\n");
}
