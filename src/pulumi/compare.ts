import { nameBackend } from "../apply/program.js";
import { unreachable } from "../errors.js";
import { digestText } from "../policy/digest.js";
import { renderPolicy } from "../render/render.js";
import { type RulesetArguments, readArguments } from "./arguments.js";
import type { Properties } from "./properties.js";
import { readLines } from "./seen.js";
import { unknownValue } from "./unknown.js";

export interface DiffResult {
  readonly changes: boolean;
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: boolean;
}

/** Compares what the host confirmed with what is wanted: by meaning, and without asking the host. */
export function compareInputs(olds: Properties, news: Properties): DiffResult {
  const before = readArguments(olds);
  const after = readArguments(news);
  if (before.kind !== "arguments") return decide(true, {});
  switch (after.kind) {
    case "wrong":
      return decide(true, {});
    case "unknown":
      return decide(true, compareKnown(before.arguments, news));
    case "arguments": {
      const isMoved = before.arguments.connection.host !== after.arguments.connection.host;
      const { policy } = after.arguments;
      const isSame =
        !olds["failure"] &&
        olds["digest"] === digestText(renderPolicy(policy)) &&
        olds["ruleset"] === news["ruleset"] &&
        JSON.stringify(readLines(olds["drift"])) === JSON.stringify(readLines(news["drift"])) &&
        JSON.stringify(before.arguments) === JSON.stringify(after.arguments);
      return decide(!isSame, { isMoved, isElsewhere: isElsewhere(before.arguments, policy) });
    }
    default:
      return unreachable(after);
  }
}

interface Move {
  /** To another host. */
  readonly isMoved?: boolean;
  /** To another place on the host. */
  readonly isElsewhere?: boolean;
}

function decide(changes: boolean, { isMoved = false, isElsewhere = false }: Move): DiffResult {
  return {
    changes,
    replaces: [...(isElsewhere ? ["policy"] : []), ...(isMoved ? ["connection"] : [])],
    // Both would gate the same port, and no one knock would open both.
    deleteBeforeReplace: isElsewhere,
  };
}

/** A host that is not known yet is one that is being made: `up` will most likely meet another one than before. */
function compareKnown(before: RulesetArguments, news: Properties): Move {
  const { host } = asProperties(news["reachedBy"]);
  const { name, backend = "nftables", scope = "input" } = asProperties(news["policy"]);
  const isKnown = [name, backend, scope].every((word) => word !== undefined && word !== unknownValue);
  const place = { name, backend, scope } as Pick<RulesetArguments["policy"], "name" | "backend" | "scope">;
  return { isMoved: host !== before.connection.host, isElsewhere: isKnown && isElsewhere(before, place) };
}

function isElsewhere(
  { policy }: RulesetArguments,
  wanted: Pick<typeof policy, "name" | "backend" | "scope">,
): boolean {
  return policy.name !== wanted.name || nameBackend(policy) !== nameBackend(wanted);
}

function asProperties(value: unknown): Properties {
  return typeof value === "object" && value !== null ? (value as Properties) : {};
}
