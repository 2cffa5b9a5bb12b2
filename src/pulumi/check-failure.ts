import { type Finding, formatFinding } from "../policy/finding.js";

/** What an engine is told of a resource's inputs. */
export interface CheckResult {
  readonly inputs: Record<string, unknown>;
  readonly failures: readonly CheckFailure[];
}

interface CheckFailure {
  readonly property: "";
  readonly reason: string;
}

/**
 * Tells the engine of a finding, for every resource of this package. No property is named: of a named one the engine
 * prints the value, secret or not (issueCheckFailures in its pkg/resource/deploy/step_generator.go), with all that is in it.
 */
export function toFailure(found: Finding): CheckFailure {
  return { property: "", reason: formatFinding(found) };
}
