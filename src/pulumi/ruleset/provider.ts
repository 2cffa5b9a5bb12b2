import type { Properties } from "../properties.js";
import type { CheckResult } from "./check-failure.js";
import { expectChecked, findChecked, keepChecked } from "./checked.js";
import type { DiffResult } from "./diff.js";
import * as operations from "./operations.js";
import { attachState, readAttached } from "./partial.js";
import type { CreateResult, ReadResult, UpdateResult } from "./results.js";
import {
  hasSameHidden,
  openEarlier,
  openInputs,
  openState,
  storeInputs,
  storeState,
  takeHidden,
} from "./stored.js";

export { wave } from "../fleet/wave-operations.js";
export type { Properties } from "../properties.js";
export type { CheckResult } from "./check-failure.js";

// What the engine calls, by way of the dynamic provider or the plugin: the operations, over the form of inputs and
// states that the engine stores.

/** Fills in defaults and the redacted ruleset. Returns all failures of wrong inputs at once. */
export async function check(olds: Properties, { sealed: _, ...news }: Properties): Promise<CheckResult> {
  const { inputs, failures } = await operations.check(openEarlier(olds), news);
  if (failures.length > 0) return { inputs, failures };
  const stored = storeInputs(inputs);
  keepChecked(stored["sealed"], takeHidden(inputs));
  return { inputs: stored, failures };
}

/** Compares what the host confirmed with what is wanted, by meaning. Does not contact the host. */
export async function diff(id: string, olds: Properties, news: Properties): Promise<DiffResult> {
  const had = openState(olds);
  // A refresh compares what it found with inputs from the state.
  const hidden = findChecked(news["sealed"]) ?? (hasSameHidden(news, had) ? takeHidden(had) : undefined);
  if (hidden === undefined) return { changes: true, replaces: [], deleteBeforeReplace: false };
  return operations.diff(id, had, openInputs(news, hidden));
}

export async function create(inputs: Properties): Promise<CreateResult> {
  const { id, outs } = await storeAttached(operations.create(openChecked(inputs)));
  return { id, outs: storeState(outs) };
}

export async function update(id: string, olds: Properties, news: Properties): Promise<UpdateResult> {
  const { outs } = await storeAttached(operations.update(id, openState(olds), openChecked(news)));
  return { outs: storeState(outs) };
}

/** Returns what the host really has. */
export async function read(id: string, props: Properties): Promise<ReadResult> {
  const seen = await operations.read(id, openState(props));
  return {
    id: seen.id,
    ...(seen.props === undefined ? {} : { props: storeState(seen.props) }),
    ...(seen.inputs === undefined ? {} : { inputs: storeInputs(seen.inputs) }),
  };
}

function remove(id: string, props: Properties): Promise<void> {
  return operations.delete(id, openState(props));
}

export { remove as delete };

function openChecked(inputs: Properties): Properties {
  return openInputs(inputs, expectChecked(inputs["sealed"]));
}

/** The engine also saves the state that a failure carries. */
function storeAttached<T>(ending: Promise<T>): Promise<T> {
  return ending.catch((error: unknown) => {
    const partial = readAttached(error);
    if (partial === undefined || !(error instanceof Error)) throw error;
    throw attachState(error, { id: partial.id, properties: storeState(partial.properties) });
  });
}
