import { renderPolicy } from "../../backends/render.js";
import { digestText } from "../../policy/digest.js";
import type { Policy } from "../../policy/policy.js";
import type { RulesetArguments } from "./parse-inputs.js";
import { type RulesetInputs, type RulesetState, takeOutputs } from "./state.js";

/**
 * Whether an update has to contact the host: to change it, or to prove that it can be reached in a new way. A setting
 * that only a later run uses, such as the time and number of dials, needs no host.
 *
 * @param olds what the state knows about the host
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
  // An update that only sets `deleteUnreachable` repairs nothing: the host may be gone for good.
  return before.deleteUnreachable || !after.deleteUnreachable;
}

/** The part of a connection that says where to dial and how to log in. */
function findWay({ connection }: RulesetArguments): object {
  const { dialErrorLimit: _limit, perDialTimeout: _timeout, ...way } = connection;
  return way;
}

/**
 * Makes the state after an update that did not contact the host: the new inputs, and what the state knew about the
 * host.
 */
export function keepSeen(olds: RulesetState, news: RulesetInputs, policy: Policy): RulesetState {
  const { ruleset, drift } = olds;
  const isUpToDate = olds.digest === digestText(renderPolicy(policy));
  return { ...news, ...(isUpToDate ? {} : { ruleset }), drift, ...takeOutputs(olds) };
}
