import { listHopGates, openHopsBy } from "../../change/hop-knocks.js";
import type { ChangeTarget } from "../../change/open-routes.js";
import { purse } from "../../change/process-purse.js";
import type { ChangeRequest, Confirmed } from "../../change/request.js";
import { KnockgateError } from "../../errors.js";
import type { Policy } from "../../policy/policy.js";
import { writePolicy } from "../../policy/written-policy.js";
import { logLine } from "../log.js";
import type { LastChange } from "./last-change.js";
import type { RulesetArguments } from "./parse-inputs.js";
import { attachState } from "./partial.js";
import { type RulesetInputs, type RulesetState, readPolicies } from "./state.js";

/** Makes the request for a change from a resource's arguments. */
export function makeRequest(
  owner: string,
  { policy, undoAfterSeconds, adopt, health }: RulesetArguments,
): ChangeRequest {
  return { policy, owner, undoAfterSeconds, adopts: adopt, health };
}

/** Says where to make a change, from a resource's arguments. Secret. */
export function makeTarget({
  connection,
  proveFrom,
  policy,
  behind,
  hopProfiles,
}: RulesetArguments): ChangeTarget & Required<Pick<ChangeTarget, "behind" | "openHop">> {
  const openHop = openHopsBy((login) => listHopGates(hopProfiles, login), purse);
  return { connection, proveFrom, policy, behind, openHop };
}

/** Lists the policies that a host may have, by its state, likeliest first. Secret. */
export function listPossible(
  { failure, former = [] }: Pick<RulesetState, "failure" | "former">,
  policy: Policy,
): readonly Policy[] {
  const before = readPolicies(former);
  return failure ? before : [policy, ...before];
}

/**
 * Makes a change and returns the resource's state after it. If the change fails and the resource records failures, the
 * state has the failure and what the host still has. Otherwise the error is thrown. If the host may have confirmed the
 * change all the same, the error carries a state with both knocks for the engine to save.
 *
 * @param olds the state before, if there was one
 * @param possible the policies that the host may have had until now
 * @throws KnockgateError
 */
export async function recordChange(
  id: string,
  { policy, recordFailure, keepFormer }: RulesetArguments,
  news: RulesetInputs,
  { olds, possible }: { readonly olds?: RulesetState; readonly possible: readonly Policy[] },
  change: () => Promise<Confirmed>,
): Promise<RulesetState> {
  const startedMs = performance.now();
  const measure = (): { readonly lastChange: LastChange } => {
    const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
    return { lastChange: { at: new Date().toISOString(), seconds } };
  };
  try {
    const confirmed = await change();
    const former = keepFormer ? possible.slice(0, 1).map(writePolicy) : [];
    // A preview shows an output that is missing as not known yet.
    const recorded = recordFailure ? { failure: "", former, ...measure() } : {};
    return { ...news, ...confirmed, drift: [], counters: {}, ...recorded };
  } catch (cause) {
    if (!(cause instanceof KnockgateError)) throw cause;
    const { mayHaveConfirmed, message } = cause;
    if (!recordFailure && !mayHaveConfirmed) throw cause;
    const former = distinct(mayHaveConfirmed ? [...possible, policy] : possible).map(writePolicy);
    const { digest = "", ruleset = "", drift = [], obstacles } = olds ?? {};
    const had = { digest, ruleset, drift, counters: {}, ...(obstacles === undefined ? {} : { obstacles }) };
    const outs: RulesetState = { ...news, ...had, former, failure: message, ...measure() };
    if (recordFailure) return logFailure(message, outs);
    throw attachState(cause, { id, properties: outs });
  }
}

function logFailure<T>(message: string, outs: T): T {
  logLine(`failed: ${message}`);
  return outs;
}

function distinct(policies: readonly Policy[]): readonly Policy[] {
  return [...new Map(policies.map((policy) => [JSON.stringify(policy), policy])).values()];
}
