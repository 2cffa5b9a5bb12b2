import { type LintFinding, lintPolicy } from "../check/lint.js";
import { parsePolicy } from "../policy/parse.js";
import type { Properties } from "./properties.js";
import { hasUnknown, unknownValue } from "./unknown.js";

/** Lists that can be judged without some of their entries. */
const lists = ["gates", "allowFrom", "denyFrom"] as const;

/**
 * Finds what is wrong with those gates and addresses of a policy that are known already. What they mean together with
 * the others, and what the policy's own tests say, can't be told yet.
 */
export function lintKnownPart(raw: unknown): readonly LintFinding[] {
  const known = takeKnownPart(raw);
  if (known === undefined) return [];
  const reading = parsePolicy(known.policy);
  if (reading.kind === "wrong") return [];
  return lintPolicy(reading.policy).flatMap((finding) => {
    if (finding.severity === "warning") return [];
    return [{ ...finding, path: known.placeInWhole(finding.path) }];
  });
}

interface KnownPart {
  readonly policy: object;
  /** Counts the entries that were left out. */
  placeInWhole(path: string): string;
}

/** `undefined`: too little is known. */
function takeKnownPart(raw: unknown): KnownPart | undefined {
  if (typeof raw !== "object" || raw === null) return undefined;
  const { expect: _expect, log: _log, ...rest } = raw as Properties;
  const others = Object.entries(rest).filter(([name]) => !lists.some((list) => list === name));
  if (hasUnknown(others)) return undefined;
  const kept = new Map(lists.map((list) => [list, keepKnown(rest[list])]));
  // Without all that is denied, what is allowed looks wider than it is.
  if (hasUnknown(rest["denyFrom"])) kept.set("allowFrom", []);
  const parts = [...kept].map(([list, entries]) => [list, entries.map(({ entry }) => entry)]);
  return {
    policy: { ...Object.fromEntries(others), ...Object.fromEntries(parts) },
    placeInWhole: (path) =>
      path.replace(/^(gates|allowFrom|denyFrom)\[(\d+)\]/, (whole, list: (typeof lists)[number], index) => {
        const place = kept.get(list)?.[Number(index)]?.index;
        return place === undefined ? whole : `${list}[${place}]`;
      }),
  };
}

function keepKnown(list: unknown): readonly { readonly entry: unknown; readonly index: number }[] {
  if (!Array.isArray(list)) return [];
  return list.map((entry, index) => ({ entry, index })).filter(({ entry }) => !hasUnknown(entry));
}

/** What of a policy that is not all known tells whether its place on the host is another one. */
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
