import type { z } from "zod";
import { crossCheckGates } from "./cross-check.js";
import { type Finding, formatPath } from "./finding.js";
import type { Policy } from "./policy.js";
import { policySchema } from "./schema.js";

/** What {@link parsePolicy} read. */
export type PolicyReading =
  | {
      /** The policy is right. */
      readonly kind: "policy";
      /** With its defaults filled in. */
      readonly policy: Policy;
    }
  | {
      /** It is no policy. */
      readonly kind: "wrong";
      /** All that is wrong with it; at least one. */
      readonly findings: readonly Finding[];
    };

/** Reads a policy from anything: either a policy with its defaults filled in, or everything wrong with it at once. */
export function parsePolicy(raw: unknown): PolicyReading {
  const reading = policySchema.safeParse(raw);
  const findings = [
    ...(reading.error?.issues ?? []).flatMap((issue) => toFindings(issue)),
    ...crossCheckGates(raw),
  ];
  if (!reading.success || findings.length > 0) return { kind: "wrong", findings };
  return { kind: "policy", policy: reading.data };
}

function toFindings(issue: z.core.$ZodIssue): readonly Finding[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: formatPath([...issue.path, key]),
      rule: "policy-shape",
      message: "is not a field that policies have.",
      fix: "Remove it, or correct its spelling.",
    }));
  }
  return [
    {
      path: formatPath(issue.path),
      rule: "policy-shape",
      message: describe(issue),
      fix: suggest(issue),
    },
  ];
}

/** Says what is wrong without the value: it may be a secret. */
function describe(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${article(issue.expected)}${issue.message.endsWith("received undefined") ? ", and is missing" : ""}.`;
    case "invalid_value":
      return `must be ${issue.values.join(" or ")}.`;
    case "too_small":
      if (issue.origin === "string") return "must not be empty.";
      return issue.origin === "array" ? "must not be an empty list." : `must be at least ${issue.minimum}.`;
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
  };
  return words[expected] ?? `a ${expected}`;
}
