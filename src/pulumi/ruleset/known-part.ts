import { type LintFinding, lintPolicy } from "../../lint/lint.js";
import { digestText } from "../../policy/digest.js";
import { isRecord } from "../given.js";
import type { Properties } from "../properties.js";
import { hasUnknown, listUnknown, unknownValue } from "../unknown.js";
import { readPolicy } from "./read-policy.js";

/** Lists that can be checked without some of their entries. */
const lists = ["gates", "users", "allowFrom", "denyFrom"] as const;

/**
 * Finds errors in the gates and addresses of a policy that are already known. Errors that need the whole policy, and
 * failures of the policy's own tests, can't be found yet.
 */
export function lintKnownPart(raw: unknown): readonly LintFinding[] {
  const known = takeKnownPart(raw);
  if (known === undefined) return [];
  const reading = readPolicy(known.policy);
  if (reading.kind === "wrong") return [];
  const unknown = listUnknown(raw);
  return lintPolicy(reading.policy).flatMap((finding) => {
    // What is said of a stand-in's key says nothing of the key.
    if (finding.severity === "warning" || unknown.includes(known.placeInWhole(finding.path))) return [];
    return [{ ...finding, path: known.placeInWhole(finding.path) }];
  });
}

interface KnownPart {
  readonly policy: object;
  /** Turns a path in the known part into the path in the whole policy. */
  placeInWhole(path: string): string;
}

/** Returns `undefined` when too little is known. */
function takeKnownPart(raw: unknown): KnownPart | undefined {
  if (typeof raw !== "object" || raw === null) return undefined;
  const { expect: _expect, log: _log, ...given } = raw as Properties;
  const rest: Properties = {
    ...given,
    ...(given["users"] === undefined ? {} : { users: standIn(given["users"]) }),
  };
  const others = Object.entries(rest).filter(([name]) => !lists.some((list) => list === name));
  if (hasUnknown(others)) return undefined;
  const kept = new Map(lists.map((list) => [list, keepKnown(rest[list])]));
  // While a part of denyFrom is unknown, allowFrom would look wider than it is.
  if (hasUnknown(rest["denyFrom"])) kept.set("allowFrom", []);
  const parts = [...kept].map(([list, entries]) => [list, entries.map(({ entry }) => entry)]);
  return {
    policy: { ...Object.fromEntries(others), ...Object.fromEntries(parts) },
    placeInWhole: (path) =>
      path.replace(
        /^(gates|users|allowFrom|denyFrom)\[(\d+)\]/,
        (whole, list: (typeof lists)[number], index) => {
          const place = kept.get(list)?.[Number(index)]?.index;
          return place === undefined ? whole : `${list}[${place}]`;
        },
      ),
  };
}

/**
 * Gives each user whose key is not known yet a key that stands in for it. Without its users, a gate that tokens open
 * could not be checked. The keys differ, and nobody gets them.
 */
function standIn(users: unknown): unknown {
  if (!Array.isArray(users)) return users;
  return users.map((user: unknown, index) => {
    const isUnknown = isRecord(user) && user["key"] === unknownValue;
    return isUnknown ? { ...user, key: digestText(`stand-in ${index}`).slice(0, 43) } : user;
  });
}

function keepKnown(list: unknown): readonly { readonly entry: unknown; readonly index: number }[] {
  if (!Array.isArray(list)) return [];
  return list.map((entry, index) => ({ entry, index })).filter(({ entry }) => !hasUnknown(entry));
}

/** Keeps only those fields of a partly unknown policy that decide its place on the host. */
export function shortenUnknown(raw: unknown): unknown {
  if (raw === unknownValue || !hasUnknown(raw)) return raw;
  const { name, backend, scope } = raw as Properties;
  const place = {
    name,
    ...(backend === undefined ? {} : { backend }),
    ...(scope === undefined ? {} : { scope }),
  };
  return { ...place, gates: unknownValue };
}
