import type { Finding } from "../policy/finding.js";
import type { Policy } from "../policy/policy.js";
import { estimateProofSeconds } from "./duration.js";

/** What has to be done between the arming of a change and its confirmation. */
interface ArmedWork {
  readonly policy: Policy;
  readonly health?: { readonly timeoutSeconds: number } | undefined;
}

/** Chooses after how many seconds a host undoes an unconfirmed change: long enough for a proof in which things get lost. */
export function chooseUndoTime({ policy, health }: ArmedWork): number {
  return Math.max(60, Math.ceil(3 * estimateProofSeconds(policy))) + (health?.timeoutSeconds ?? 0);
}

/** What a new change is not begun with; a state that has it can still be read and removed. */
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
