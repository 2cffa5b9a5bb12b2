import { digestText } from "../policy/digest.js";
import type { Policy } from "../policy/policy.js";
import { renderPolicy } from "../render/render.js";
import type { RulesetArguments } from "./arguments.js";
import { type RulesetInputs, type RulesetState, takeOutputs } from "./state.js";

/**
 * Whether an update has to do something on the host, or at least to show that it can be reached in a new way. What is
 * of use only to a later run, patience above all, needs no host.
 *
 * @param olds what the state holds of the host
 */
export function needsHost(
  before: RulesetArguments,
  after: RulesetArguments,
  olds: Pick<RulesetState, "digest" | "drift" | "failure">,
): boolean {
  const [old, wanted] = [renderPolicy(before.policy), renderPolicy(after.policy)];
  if (old !== wanted || JSON.stringify(findWay(before)) !== JSON.stringify(findWay(after))) return true;
  const isAsWanted = olds.digest === digestText(wanted) && olds.drift.length === 0;
  if (isAsWanted && !olds.failure) return false;
  // Where a host is gone for good, nothing on it can be repaired first.
  return before.deleteUnreachable || !after.deleteUnreachable;
}

/** Who is dialled and how one logs in. */
function findWay({ connection }: RulesetArguments): object {
  const { dialErrorLimit: _limit, perDialTimeout: _timeout, ...way } = connection;
  return way;
}

/** What an update leaves that asked no host: the new inputs, and what the state knew of the host. */
export function keepSeen(olds: RulesetState, news: RulesetInputs, policy: Policy): RulesetState {
  const { ruleset, drift } = olds;
  const isUpToDate = olds.digest === digestText(renderPolicy(policy));
  return { ...news, ...(isUpToDate ? {} : { ruleset }), drift, ...takeOutputs(olds) };
}
