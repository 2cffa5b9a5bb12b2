import { renderPolicy } from "../../backends/render.js";
import { writeIso } from "../../change/utc.js";
import { KnockgateError } from "../../errors.js";
import { describeDrift, makeRedaction } from "../../host/describe-drift.js";
import { assessDrift } from "../../host/drift.js";
import { describeLoaded } from "../../host/loaded-text.js";
import { isUnchanged, type Observed } from "../../host/observed.js";
import type { ObservedTokens, ObservedUser } from "../../host/tokens.js";
import type { Counts, GateCounts, UserCounts } from "../../policy/counts.js";
import { digestText } from "../../policy/digest.js";
import type { Policy } from "../../policy/policy.js";
import { logLine } from "../log.js";
import { type RulesetInputs, type RulesetState, takeInputs } from "./state.js";

/** What a refresh observed on a host, in the form of the state. */
export interface Refreshed {
  readonly props: RulesetState;
  /** The properties that the program sets. */
  readonly inputs: RulesetInputs;
  /** Lines without a secret. */
  readonly drift: readonly string[];
}

/** Updates a host's state with what was observed and counted there. */
export function describeRefreshed(
  observed: Observed,
  counts: Counts | undefined,
  id: string,
  policy: Policy,
  state: RulesetState,
): Refreshed {
  const found = assessDrift(observed, {
    policy,
    host: state.connection.host,
    // Empty when an earlier refresh found another ruleset.
    digest: state.digest || digestText(renderPolicy(policy)),
    owner: id,
    obstacles: state.obstacles,
  });
  const redact = makeRedaction(found, policy, state.redactionKey);
  const ruleset = redact(describeLoaded(observed));
  const drift = describeDrift(found, policy, redact);
  const { confirmed } = observed;
  const isOurs = confirmed !== undefined && isUnchanged(observed) && confirmed.owner === id;
  const counters = countByUser(counts, observed.tokens);
  return {
    drift,
    props: { ...state, ruleset, drift, digest: isOurs ? digestText(confirmed.text) : "", counters },
    inputs: { ...takeInputs(state), ruleset, drift },
  };
}

/** Adds to each gate's counts which users opened it. */
function countByUser(
  counts: Counts | undefined,
  tokens: ObservedTokens | undefined,
): Readonly<Record<string, GateCounts>> {
  const gates = [...(counts ?? [])].map(([gate, count]) => {
    const users = (tokens?.users ?? []).filter((user) => user.gate === gate);
    return [gate, users.length === 0 ? count : { ...count, users: listUsers(users) }];
  });
  return Object.fromEntries(gates);
}

function listUsers(users: readonly ObservedUser[]): Readonly<Record<string, UserCounts>> {
  return Object.fromEntries(
    users.map(({ user, opened, last }): [string, UserCounts] => {
      const times = last && { lastFrom: writeIso(last.from), lastTo: writeIso(last.to) };
      return [user, { opened, ...times }];
    }),
  );
}

/** Makes the state of a host that could not be observed: its drift says why. */
export function describeUnrefreshed(
  cause: unknown,
  state: RulesetState,
  place: string,
): Omit<Refreshed, "drift"> {
  const why = cause instanceof KnockgateError ? cause.message : String(cause);
  const drift = [`could not be observed: ${why}`];
  logLine(`${place}: drift: ${drift}`);
  return { props: { ...state, drift }, inputs: { ...takeInputs(state), drift } };
}
