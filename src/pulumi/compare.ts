import { unreachable } from "../errors.js";
import { digestText } from "../policy/digest.js";
import { renderPolicy } from "../render/render.js";
import { type RulesetArguments, readArguments } from "./arguments.js";
import { isRecord } from "./given.js";
import type { Properties } from "./properties.js";
import { readLines } from "./seen.js";

export interface DiffResult {
  readonly changes: boolean;
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: boolean;
}

/** Compares what the host confirmed with what is wanted: by meaning, and without asking the host. */
export function compareInputs(olds: Properties, news: Properties): DiffResult {
  const before = readArguments(olds);
  const after = readArguments(news);
  if (before.kind !== "arguments") return decide(true, false);
  switch (after.kind) {
    case "wrong":
      return decide(true, false);
    case "unknown":
      return decide(true, isMovedAsKnown(before.arguments, news));
    case "arguments": {
      const isMoved = before.arguments.connection.host !== after.arguments.connection.host;
      const { policy } = after.arguments;
      const isSame =
        !olds["failure"] &&
        olds["digest"] === digestText(renderPolicy(policy)) &&
        olds["ruleset"] === news["ruleset"] &&
        JSON.stringify(readLines(olds["drift"])) === JSON.stringify(readLines(news["drift"])) &&
        JSON.stringify(before.arguments) === JSON.stringify(after.arguments);
      return decide(!isSame, isMoved);
    }
    default:
      return unreachable(after);
  }
}

/**
 * Under another name or with another backend the host itself takes the former gate away, in the same change: as two
 * resources the ports would be open between them, or want two knocks.
 */
function decide(changes: boolean, isMoved: boolean): DiffResult {
  return { changes, replaces: isMoved ? ["connection"] : [], deleteBeforeReplace: false };
}

/** A host that is not known yet is one that is being made: `up` will most likely meet another one than before. */
function isMovedAsKnown(before: RulesetArguments, news: Properties): boolean {
  const { reachedBy } = news;
  return !isRecord(reachedBy) || reachedBy["host"] !== before.connection.host;
}
