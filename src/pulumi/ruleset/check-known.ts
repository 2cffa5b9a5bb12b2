import { renderRedacted } from "../../backends/redact.js";
import { checkUndoTime, chooseUndoTime } from "../../change/undo-time.js";
import { checkExpectations } from "../../lint/expectations.js";
import { lintPolicy } from "../../lint/lint.js";
import { type Finding, placeBelowPolicy } from "../../policy/finding.js";
import { writePolicy } from "../../policy/written-policy.js";
import type { Properties } from "../properties.js";
import { hasUnknown, unknownValue } from "../unknown.js";
import { lintKnownPart, shortenUnknown } from "./known-part.js";
import type { KnownArguments } from "./parse-inputs.js";
import { describeReach } from "./reached-by.js";
import type { EarlierInputs } from "./state.js";

/** Finds errors in the known part of inputs that are not all known yet. Warnings wait until everything is known. */
export function findKnownErrors(known: KnownArguments, news: Properties): readonly Finding[] {
  const { policy, undoAfterSeconds, hasHealth, health } = known;
  if (policy === undefined) return lintKnownPart(news["policy"]).map(placeBelowPolicy);
  const linted = lintPolicy(policy).filter(({ severity }) => severity === "error");
  const early =
    undoAfterSeconds === undefined || hasHealth === undefined
      ? []
      : checkUndoTime({ policy, undoAfterSeconds, health });
  return [...[...linted, ...checkExpectations(policy)].map(placeBelowPolicy), ...early];
}

/** Fills in what is known already, so that a preview shows as unknown only what really is. */
export function fillKnown(
  known: KnownArguments,
  earlier: EarlierInputs,
  news: Properties,
  redactionKey: string,
): Record<string, unknown> {
  const { policy, hasHealth, health } = known;
  const chosen =
    policy === undefined || hasHealth === undefined
      ? (earlier.undoAfterSeconds ?? unknownValue)
      : chooseUndoTime({ policy, health });
  const whole = ["connection", "proveFrom", "behind", "hopProfiles"].filter((name) => hasUnknown(news[name]));
  return {
    ...news,
    // Each is unknown as a whole: the known parts would show nothing that `reachedBy` does not show.
    ...Object.fromEntries(whole.map((name) => [name, unknownValue])),
    policy: policy === undefined ? shortenUnknown(news["policy"]) : writePolicy(policy),
    undoAfterSeconds: news["undoAfterSeconds"] ?? chosen,
    redactionKey,
    ruleset: policy === undefined ? unknownValue : renderRedacted(policy, redactionKey),
    drift: [],
    reachedBy: describeReach(news, redactionKey),
  };
}
