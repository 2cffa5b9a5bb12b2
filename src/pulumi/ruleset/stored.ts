import { foldFamilies, unfoldFamilies } from "../../backends/nftables/fold.js";
import { renderRedacted } from "../../backends/redact.js";
import { digestKeyed } from "../../policy/digest.js";
import type { Properties } from "../properties.js";
import { unknownValue } from "../unknown.js";
import { describeReach } from "./reached-by.js";
import { readPolicy } from "./read-policy.js";
import { type Sealed, seal, unseal } from "./sealed.js";
import { filledNames, foundNames, hiddenNames, sealedNames, shownNames } from "./stored-names.js";

// The form that the engine stores a `Ruleset` in. Its operations know only the complete form of state.ts. A preview
// compares the stored inputs line by line, so the ruleset stands in them as plain text, and only there.

/** Stores complete inputs. */
export function storeInputs(inputs: Properties): Record<string, unknown> {
  const redactionKey = `${inputs["redactionKey"]}`;
  return {
    ...takeOwn(inputs),
    ...take(inputs, [...shownNames, ...filledNames]),
    ruleset: mapText(inputs["ruleset"], foldFamilies),
    // With the policy, because a change that is killed leaves its inputs in the state as a pending operation, and what
    // the host confirmed by then opens for the new knock only.
    sealed: seal({ redactionKey, hidden: digestHidden(inputs, redactionKey), ...take(inputs, ["policy"]) }),
  };
}

/**
 * Completes stored inputs.
 *
 * @param hidden the arguments that they do not have
 */
export function openInputs(stored: Properties, hidden: Properties): Properties {
  const { sealed, ruleset, ...shown } = stored;
  const { redactionKey = "" } = unseal(sealed) ?? {};
  return { ...shown, ...hidden, redactionKey, ruleset: mapText(ruleset, unfoldFamilies) };
}

/** The arguments that a change takes from `check`, and not from stored inputs. */
export function takeHidden(inputs: Properties): Properties {
  return take(inputs, hiddenNames);
}

/** Whether the arguments that stored inputs do not have are those of a state. */
export function hasSameHidden(stored: Properties, state: Properties): boolean {
  const { redactionKey = "", hidden } = unseal(stored["sealed"]) ?? {};
  return hidden !== undefined && hidden === digestHidden(state, redactionKey);
}

/** What is left of earlier inputs for `check`. */
export function openEarlier(stored: Properties): Properties {
  const { redactionKey } = unseal(stored["sealed"]) ?? {};
  return { ...take(stored, ["undoAfterSeconds"]), ...(redactionKey === undefined ? {} : { redactionKey }) };
}

/** Stores a complete state. */
export function storeState(state: Properties): Record<string, unknown> {
  const { ruleset } = state;
  const sealed: Sealed = take(state, sealedNames);
  const isOfPolicy = ruleset === renderOwn(sealed);
  return {
    // Pulumi adds its own to what an operation returns, and does not to what a failure carries.
    ...takeOwn(state),
    ...take(state, foundNames),
    sealed: seal({ ...sealed, ...(isOfPolicy ? {} : { ruleset: `${ruleset ?? ""}` }) }),
  };
}

/** Completes a stored state. What can't be read is missing. */
export function openState(stored: Properties): Properties {
  const sealed = unseal(stored["sealed"]) ?? {};
  return {
    ...takeOwn(stored),
    ...take(stored, foundNames),
    ...sealed,
    ruleset: sealed.ruleset ?? renderOwn(sealed),
    reachedBy: describeReach({ ...sealed }, sealed.redactionKey ?? ""),
  };
}

/** Renders the redacted ruleset of a state's policy; `undefined` when there is none that can be read. */
export function renderOwn({ policy, redactionKey = "" }: Sealed): string | undefined {
  const reading = readPolicy(policy);
  return reading.kind === "policy" ? renderRedacted(reading.policy, redactionKey) : undefined;
}

/** Shows that a hidden argument changed, and nothing about its value. */
function digestHidden(inputs: Properties, key: string): string {
  return digestKeyed(key, writeSorted(take(inputs, hiddenNames)), 12);
}

/** The order of fields is lost on the way through the engine. */
function writeSorted(value: unknown): string {
  return JSON.stringify(value, (_name, field: unknown) => {
    if (typeof field !== "object" || field === null || Array.isArray(field)) return field;
    return Object.fromEntries(Object.entries(field).sort(([one], [other]) => (one < other ? -1 : 1)));
  });
}

function mapText(text: unknown, change: (text: string) => string): unknown {
  return typeof text === "string" && text !== unknownValue ? change(text) : text;
}

function take(from: Properties, names: readonly string[]): Record<string, unknown> {
  const set = names.filter((name) => from[name] !== undefined);
  return Object.fromEntries(set.map((name) => [name, from[name]]));
}

/** Pulumi's own properties: their names begin with two underscores. */
function takeOwn(from: Properties): Record<string, unknown> {
  return take(
    from,
    Object.keys(from).filter((name) => name.startsWith("__")),
  );
}
