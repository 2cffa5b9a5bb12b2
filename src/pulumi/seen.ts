import { KnockgateError } from "../errors.js";
import type { Counts } from "../plan/counts.js";
import { describeDrift, makeRedaction } from "../plan/describe-drift.js";
import { assessDrift } from "../plan/drift.js";
import { describeLoaded } from "../plan/loaded-text.js";
import { isUnchanged, type Observed } from "../plan/observed.js";
import { digestText } from "../policy/digest.js";
import type { Policy } from "../policy/policy.js";
import { renderPolicy } from "../render/render.js";
import { logLine } from "./log.js";

/** What a host was seen to have, as a state holds it. */
export interface Seen {
  readonly props: Record<string, unknown>;
  readonly inputs: Record<string, unknown>;
  /** In lines without a secret. */
  readonly drift: readonly string[];
}

/** Brings what the state says of a host up to what was seen and had been counted there. */
export function describeSeen(
  observed: Observed,
  counts: Counts | undefined,
  id: string,
  policy: Policy,
  state: Readonly<Record<string, unknown>>,
): Seen {
  const found = assessDrift(observed, {
    policy,
    // Once drift was found there is none.
    digest: state["digest"] ? `${state["digest"]}` : digestText(renderPolicy(policy)),
    owner: id,
    obstacles: readObstacles(state),
  });
  const redact = makeRedaction(found, policy, `${state["redactionKey"]}`);
  const ruleset = redact(describeLoaded(observed));
  const drift = describeDrift(found, policy, redact);
  const { confirmed } = observed;
  const isOurs = confirmed !== undefined && isUnchanged(observed) && confirmed.owner === id;
  // A state from before there was drift in it stays as it is until there is something to say.
  const shown = { ruleset, ...(drift.length === 0 && state["drift"] === undefined ? {} : { drift }) };
  const { counters: _counters, ...kept } = state;
  const counters = Object.fromEntries(counts ?? []);
  return {
    drift,
    props: { ...kept, ...shown, digest: isOurs ? digestText(confirmed.text) : "", counters },
    inputs: { ...leaveOutSeen(state), ...shown },
  };
}

/** Says in the state of a host that it could not be looked at. */
export function describeUnseen(
  cause: unknown,
  state: Readonly<Record<string, unknown>>,
  place: string,
): Omit<Seen, "drift"> {
  const why = cause instanceof KnockgateError ? cause.message : String(cause);
  const drift = [`not looked at: ${why}`];
  logLine(`${place}: drift: ${drift}`);
  return { props: { ...state, drift }, inputs: { ...leaveOutSeen(state), drift } };
}

/** What the program sets: outputs alone are left out. */
function leaveOutSeen(state: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(state).filter(([name]) => !outputNames.includes(name)));
}

const outputNames = ["digest", "obstacles", "counters", "failure", "former", "lastChange"];

/** What stood in the gate's way when it was proven; a state from before that was noted does not know. */
export function readObstacles(state: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  return state["obstacles"] === undefined ? undefined : readLines(state["obstacles"]);
}

/** Lines in a state; none in one from before there was such a property. */
export function readLines(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
