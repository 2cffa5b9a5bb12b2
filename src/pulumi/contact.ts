import { digestText } from "../policy/digest.js";
import { renderPolicy } from "../render/render.js";
import type { RulesetArguments } from "./arguments.js";

/** What the state holds of the host. */
export interface Recorded {
  readonly digest: unknown;
  /** What the last refresh found. */
  readonly drift: readonly string[];
}

/**
 * Whether an update has to do something on the host, or at least to show that it can be reached in a new way. What is
 * of use only to a later run, patience above all, needs no host.
 */
export function needsHost(before: RulesetArguments, after: RulesetArguments, recorded: Recorded): boolean {
  const [old, wanted] = [renderPolicy(before.policy), renderPolicy(after.policy)];
  if (old !== wanted || JSON.stringify(findWay(before)) !== JSON.stringify(findWay(after))) return true;
  if (recorded.digest === digestText(wanted) && recorded.drift.length === 0) return false;
  // Where a host is gone for good, nothing on it can be repaired first.
  return before.deleteUnreachable || !after.deleteUnreachable;
}

/** Who is dialled and how one logs in. */
function findWay({ connection }: RulesetArguments): object {
  const { dialErrorLimit: _limit, perDialTimeout: _timeout, ...way } = connection;
  return way;
}
