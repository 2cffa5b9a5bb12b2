import { KnockgateError } from "../../errors.js";
import type { Properties } from "../properties.js";

/** The hidden arguments of all checked inputs, by the sealed part of those inputs. */
const checked = new Map<unknown, Properties>();

/**
 * Keeps the arguments that stored inputs do not have, until the change. The engine sends each resource's inputs to
 * `check` right before it sends what `check` returned to `diff`, `create` or `update`, and all of that to one process
 * (its pkg/resource/deploy/step_generator.go). So the login and the policy stand in the state once, in the outputs: a
 * refresh and a deletion get only these.
 *
 * @param sealed the sealed part of the stored inputs
 */
export function keepChecked(sealed: unknown, hidden: Properties): void {
  checked.set(sealed, hidden);
}

/** Returns `undefined` in a process that did not check the inputs: a refresh compares inputs from the state. */
export function findChecked(sealed: unknown): Properties | undefined {
  return checked.get(sealed);
}

/** @throws KnockgateError `ARGUMENTS_INVALID` */
export function expectChecked(sealed: unknown): Properties {
  const hidden = findChecked(sealed);
  if (hidden !== undefined) return hidden;
  const message =
    "this process did not check the inputs that it was given, so it does not have their secrets. No host was " +
    "contacted. Run `pulumi up` again.";
  throw new KnockgateError("ARGUMENTS_INVALID", message);
}
