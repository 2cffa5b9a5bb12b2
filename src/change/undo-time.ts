import type { Finding } from "../policy/finding.js";
import type { Policy } from "../policy/policy.js";
import { estimateProofSeconds } from "./duration.js";

/** The work between the arming of a change and its confirmation. */
interface ArmedWork {
  readonly policy: Policy;
  readonly health?: { readonly timeoutSeconds: number } | undefined;
}

/**
 * Chooses after how many seconds a host undoes an unconfirmed change. It is long enough for a proof in which packets
 * get lost.
 */
export function chooseUndoTime({ policy, health }: ArmedWork): number {
  return Math.max(60, Math.ceil(3 * estimateProofSeconds(policy))) + (health?.timeoutSeconds ?? 0);
}

/**
 * Finds an `undoAfterSeconds` that is too short to begin a new change with. A state that has such a value can still be
 * read and removed.
 */
export function checkUndoTime({
  policy,
  undoAfterSeconds,
  health,
}: ArmedWork & { readonly undoAfterSeconds: number }): readonly Finding[] {
  const leastSeconds = Math.ceil(estimateProofSeconds(policy) + 5) + (health?.timeoutSeconds ?? 0);
  if (undoAfterSeconds >= leastSeconds) return [];
  return [
    {
      path: "undoAfterSeconds",
      rule: "undo-too-early",
      message: `the host would undo the change while it is being proven: ${policy.gates.length} gates${health === undefined ? "" : " and the health command"} take up to about ${leastSeconds} s.`,
      fix: `Leave it out, or give at least ${leastSeconds}.`,
    },
  ];
}
