import type { Properties } from "../../../src/pulumi/properties";
import { create } from "../../../src/pulumi/ruleset/operations";

/** Creates a gate by only the operation, with the inputs that `check` would complete. */
export function createGate(given: Properties): ReturnType<typeof create> {
  return create({ redactionKey: "", ruleset: "", drift: [], reachedBy: {}, undoAfterSeconds: 60, ...given });
}
