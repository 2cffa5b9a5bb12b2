import { create } from "../../src/pulumi/operations";
import type { Properties } from "../../src/pulumi/properties";

/** Creates a gate by the operation alone, with the inputs that `check` would add. */
export function createGate(given: Properties): ReturnType<typeof create> {
  return create({ redactionKey: "", ruleset: "", drift: [], undoAfterSeconds: 60, ...given });
}
