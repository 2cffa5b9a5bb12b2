import { type Finding, formatFinding } from "../../policy/finding.js";

/** The answer to the engine's check of a resource's inputs. */
export interface CheckResult {
  readonly inputs: Record<string, unknown>;
  readonly failures: readonly CheckFailure[];
}

interface CheckFailure {
  readonly property: "";
  readonly reason: string;
}

/**
 * Turns a finding into a failure for the engine, for every resource of this package. It names no property: the engine
 * prints the whole value of a named property, secret or not (issueCheckFailures in its
 * pkg/resource/deploy/step_generator.go).
 */
export function toFailure(found: Finding): CheckFailure {
  return { property: "", reason: formatFinding(found) };
}
