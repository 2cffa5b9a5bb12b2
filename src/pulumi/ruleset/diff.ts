import { renderPolicy } from "../../backends/render.js";
import { unreachable } from "../../errors.js";
import { digestText } from "../../policy/digest.js";
import { isRecord } from "../given.js";
import type { Properties } from "../properties.js";
import { type RulesetArguments, readArguments } from "./parse-inputs.js";
import { expectInputs, readState } from "./state.js";

export interface DiffResult {
  readonly changes: boolean;
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: boolean;
}

/** Compares what the host confirmed with what is wanted, by meaning. Does not contact the host. */
export function compareInputs(olds: Properties, news: Properties): DiffResult {
  const before = readState(olds);
  const after = readArguments(news);
  if (before === undefined) return decide(true, false);
  switch (after.kind) {
    case "wrong":
      return decide(true, false);
    case "unknown":
      return decide(true, isMovedAsKnown(before.wanted, news));
    case "arguments": {
      const { state: had, wanted: wantedBefore } = before;
      const { state: has, wanted } = expectInputs(news);
      const isSame =
        !had.failure &&
        had.digest === digestText(renderPolicy(wanted.policy)) &&
        had.ruleset === has.ruleset &&
        JSON.stringify(had.drift) === JSON.stringify(has.drift) &&
        JSON.stringify(wantedBefore) === JSON.stringify(wanted);
      const isMoved = wantedBefore.connection.host !== wanted.connection.host;
      return decide(!isSame, isMoved);
    }
    default:
      return unreachable(after);
  }
}

/**
 * Only another host is a replacement. With a new name or backend, the host itself removes the former gate in the same
 * change. Two resources would leave the ports open for a while, or closed behind two knocks.
 */
function decide(changes: boolean, isMoved: boolean): DiffResult {
  return { changes, replaces: isMoved ? ["connection"] : [], deleteBeforeReplace: false };
}

/**
 * Whether the host changes, as far as is known. A host that is not known yet is still being created, so `up` will most
 * likely meet a different one.
 */
function isMovedAsKnown(before: RulesetArguments, news: Properties): boolean {
  const { reachedBy } = news;
  return !isRecord(reachedBy) || reachedBy["host"] !== before.connection.host;
}
