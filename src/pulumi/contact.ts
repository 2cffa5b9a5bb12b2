import { digestText } from "../policy/digest.js";
import type { Policy } from "../policy/policy.js";
import { renderPolicy } from "../render/render.js";
import type { RulesetArguments } from "./arguments.js";
import type { Properties } from "./properties.js";
import { readLines } from "./seen.js";

/**
 * Whether an update has to do something on the host, or at least to show that it can be reached in a new way. What is
 * of use only to a later run, patience above all, needs no host.
 *
 * @param olds what the state holds of the host
 */
export function needsHost(before: RulesetArguments, after: RulesetArguments, olds: Properties): boolean {
  const [old, wanted] = [renderPolicy(before.policy), renderPolicy(after.policy)];
  if (old !== wanted || JSON.stringify(findWay(before)) !== JSON.stringify(findWay(after))) return true;
  const isAsWanted = olds["digest"] === digestText(wanted) && readLines(olds["drift"]).length === 0;
  if (isAsWanted && !olds["failure"]) return false;
  // Where a host is gone for good, nothing on it can be repaired first.
  return before.deleteUnreachable || !after.deleteUnreachable;
}

/** Who is dialled and how one logs in. */
function findWay({ connection }: RulesetArguments): object {
  const { dialErrorLimit: _limit, perDialTimeout: _timeout, ...way } = connection;
  return way;
}

/** What an update leaves that asked no host: the new inputs, and what the state knew of the host. */
export function keepSeen(olds: Properties, news: Properties, policy: Policy): Record<string, unknown> {
  const isUpToDate = olds["digest"] === digestText(renderPolicy(policy));
  const seen = isUpToDate
    ? { digest: olds["digest"] }
    : { digest: olds["digest"] ?? "", ruleset: olds["ruleset"] };
  const kept = Object.fromEntries(keptNames.flatMap((name) => (name in olds ? [[name, olds[name]]] : [])));
  return { ...news, ...seen, drift: readLines(olds["drift"]), counters: {}, ...kept };
}

const keptNames = ["obstacles", "counters", "failure", "former", "lastChange"];
