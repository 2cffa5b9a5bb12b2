import { formatPath } from "../policy/finding.js";

/** What the engine sends for a value that is not known before `up` (`unknownValue` in @pulumi/pulumi's runtime/rpc). */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export function hasUnknown(value: unknown): boolean {
  return listUnknown(value).length > 0;
}

/** Lists the paths of all values that are not known yet. */
export function listUnknown(value: unknown, path: readonly PropertyKey[] = []): readonly string[] {
  if (value === unknownValue) return [formatPath(path)];
  if (Array.isArray(value)) return value.flatMap((entry, index) => listUnknown(entry, [...path, index]));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, entry]) => listUnknown(entry, [...path, name]));
}

/** Whether a finding at a path may come from an unknown value: at that path, inside it, or around it. */
export function isDueTo(unknown: readonly string[], path: string): boolean {
  return unknown.some((one) => one === path || isBelow(one, path) || isBelow(path, one));
}

function isBelow(path: string, above: string): boolean {
  return path.startsWith(`${above}.`) || path.startsWith(`${above}[`);
}
