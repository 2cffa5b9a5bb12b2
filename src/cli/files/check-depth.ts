import { KnockgateError } from "../../errors.js";

/** Levels of nested lists and objects. A policy has 7, a stack's outputs hardly more. */
const deepest = 64;

/**
 * Refuses values that are nested more deeply than anything that is read here: the code that walks through them is
 * recursive.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID`
 */
export function checkDepth(name: string, value: unknown): void {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > deepest) throw tooDeep(name);
    const below = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []));
    // YAML's aliases lead to the same value from many places.
    level = [...new Set(below)];
  }
}

export function tooDeep(name: string): KnockgateError {
  return new KnockgateError("ARGUMENTS_INVALID", `${name}: it is nested more than ${deepest} levels deep`);
}
