import type { z } from "zod";
import { type Finding, formatPath } from "./finding.js";
import { describeUnknown } from "./unknown-field.js";

/** What all findings about a value's shape have in common. */
interface Shape {
  readonly schema: z.core.$ZodType;
  readonly rule: string;
  /** The path of a finding about the whole value, or about an unknown field of it. Default: `policy`. */
  readonly whole?: string;
  /** The path of the value in what contains it. Default: none. */
  readonly at?: readonly PropertyKey[];
}

/** Describes what a schema found wrong. Never shows a value or the name of an unknown field: either may be secret. */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  { schema, rule, whole = "policy", at = [] }: Shape,
): readonly Finding[] {
  return issues.map((issue) => {
    const path = formatPath([...at, ...issue.path], whole);
    return issue.code === "unrecognized_keys"
      ? { path, rule, ...describeUnknown(issue.keys, listNames(schema, issue.path)) }
      : { path, rule, message: describe(issue), fix: suggest(issue) };
  });
}

/** The parts of a schema's definition that lead to the object at a path. */
interface Definition {
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly element?: z.core.$ZodType;
  readonly innerType?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  /** Only of a pipe: the schema of the value before it is transformed. */
  readonly in?: z.core.$ZodType;
}

/** Lists the names of the fields that the object at a path can have. */
function listNames(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  const { shape, element, innerType, valueType, in: before } = schema._zod.def as Definition;
  const inner = innerType ?? before;
  if (inner !== undefined) return listNames(inner, path);
  const [part, ...rest] = path;
  if (part === undefined) return Object.keys(shape ?? {});
  const below = shape?.[String(part)] ?? element ?? valueType;
  return below === undefined ? [] : listNames(below, rest);
}

function describe(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${article(issue.expected)}${issue.message.endsWith("received undefined") ? ", and is missing" : ""}.`;
    case "invalid_value":
      return `must be ${issue.values.join(" or ")}.`;
    case "too_small":
      if (issue.origin === "string") return "must not be empty.";
      return issue.origin === "array"
        ? "must not be an empty list."
        : `must be ${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}.`;
    case "too_big":
      if (issue.origin === "string") return `must have at most ${issue.maximum} characters.`;
      return issue.origin === "array"
        ? `must have at most ${issue.maximum} entries.`
        : `must be at most ${issue.maximum}.`;
    default:
      return issue.message;
  }
}

function suggest(issue: z.core.$ZodIssue): string {
  if (issue.code === "custom" && typeof issue.params?.["fix"] === "string") return issue.params["fix"];
  switch (issue.code) {
    case "invalid_type":
      return `Set it to ${article(issue.expected)}.`;
    case "invalid_value":
      return "Choose one of them.";
    case "too_small":
    case "too_big":
      if (issue.origin === "string") return "Change its length.";
      return issue.origin === "array"
        ? "Change the number of entries."
        : "Choose a whole number within the limits.";
    default:
      return "Change its spelling.";
  }
}

function article(expected: string): string {
  const words: Readonly<Record<string, string>> = {
    int: "a whole number",
    array: "a list",
    boolean: "true or false",
    object: "an object",
    record: "an object",
  };
  return words[expected] ?? `a ${expected}`;
}
