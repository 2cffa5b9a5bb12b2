import { KnockgateError, unreachable } from "../errors.js";
import { limitFillMs } from "../host/tokens.js";
import { readAnswer } from "../knock/read-answer.js";
import { retry } from "../ssh/retry.js";
import { type Reached, reachHost } from "./reach.js";
import type { ChangeContext, ChangeRequest, Confirmed } from "./request.js";
import type { ChangeStep } from "./step.js";
import { type UndoOutcome, undoChange } from "./undo.js";

/** A change that failed after the host was observed. */
export interface Failure {
  readonly request: ChangeRequest;
  readonly context: ChangeContext;
  readonly reached: Reached;
  readonly id: string;
  /** The result if the host confirmed the change after all. */
  readonly confirmed: Confirmed;
  readonly step: ChangeStep;
  log(line: string): void;
}

/** Throws the error of a change that failed before anything on the host was changed. */
export function refuseUntouched(place: string, cause: unknown): never {
  const code = cause instanceof KnockgateError ? cause.code : "HOST_FAILED";
  const message = describeFailure(place, "1/6 connect", cause, "Nothing was changed on the host.");
  throw new KnockgateError(code, message, { cause });
}

/**
 * Tries to undo the change now, and throws an error that says what the host has, or will have. Returns if the host has
 * confirmed the change after all.
 */
export async function concludeFailure(cause: unknown, failure: Failure): Promise<Confirmed> {
  const { request, reached, confirmed, step } = failure;
  const outcome = await undoByAnyWay(failure);
  if (outcome === "confirmed") {
    failure.log("6/6 confirm: the answer was lost, but the host has confirmed the change");
    return confirmed;
  }
  const isUntouched =
    outcome === "nothing" ? !mayHaveLoaded(step) : outcome === "unknown" && step === "2/6 stage";
  const code = cause instanceof KnockgateError && isUntouched ? cause.code : "NOT_CONFIRMED";
  const place = `policy ${request.policy.name} on ${reached.route.name}`;
  throw new KnockgateError(code, describeFailure(place, step, cause, describeOutcome(outcome, failure)), {
    cause,
    mayHaveConfirmed: outcome === "unknown" && step === "6/6 confirm",
  });
}

/** In these steps, "nothing to undo" means that the host's timer, or a boot, has undone the change already. */
function mayHaveLoaded(step: ChangeStep): boolean {
  return step === "4/6 load" || step === "5/6 prove" || step === "6/6 confirm";
}

function describeOutcome(outcome: Exclude<UndoOutcome, "confirmed">, { request, step }: Failure): string {
  const timer = `the host's own timer will put back what it had before within ${request.undoAfterSeconds} s.`;
  switch (outcome) {
    case "undone":
      return "The host has put back what it had before.";
    case "nothing":
      return mayHaveLoaded(step)
        ? "The host has put back by itself what it had before."
        : "Nothing was changed on the host.";
    case "failed":
      return `The host could not undo it now; ${timer}`;
    case "unknown":
      return `The host can't be reached to undo it now; ${describeUnknown(step, timer)}`;
    default:
      return unreachable(outcome);
  }
}

/** Says what a host that can't be reached may have: that depends on what was sent to it. */
function describeUnknown(step: ChangeStep, timer: string): string {
  switch (step) {
    case "1/6 connect":
    case "2/6 stage":
      return "nothing was loaded there.";
    case "3/6 arm":
      return `nothing was loaded there; if the change was armed, ${timer}`;
    case "4/6 load":
      return `if the ruleset was loaded, ${timer}`;
    case "5/6 prove":
      return timer;
    case "6/6 confirm":
      return `if it has confirmed the new ruleset, it keeps that and opens only for the new knock; else ${timer}`;
    default:
      return unreachable(step);
  }
}

function describeFailure(place: string, step: ChangeStep, cause: unknown, state: string): string {
  const why = cause instanceof KnockgateError ? cause.summary : String(cause);
  return `${place}: ${step} failed: ${why}${/[.?!]$/.test(why) ? "" : "."} ${state} Running it again is safe.`;
}

/** The reason that the host writes down with the undo. */
const reason = "the deployer could not prove it";

/** Undoes the change over the present connection, else over a new one. */
async function undoByAnyWay(failure: Failure): Promise<UndoOutcome> {
  const { request, reached, id } = failure;
  const policies = [request.policy, ...(request.formerPolicies ?? [])];
  const fillMs = Math.max(...policies.map(limitFillMs));
  const outcome = await undoChange(reached.connection, request.policy.name, id, reason, fillMs);
  if (outcome !== "unknown") return outcome;
  try {
    const again = await reachAgain(failure);
    try {
      return await undoChange(again.connection, request.policy.name, id, reason, fillMs);
    } finally {
      again.connection.close();
    }
  } catch {
    return "unknown";
  }
}

/** While a host boots, it refuses connections until its sshd listens. */
function pauseIfRefused(error: KnockgateError): number | undefined {
  return readAnswer(error.cause) === "refused" ? 1_000 : undefined;
}

async function reachAgain({ request, context, reached, step }: Failure): Promise<Reached> {
  const { policy, formerPolicies = [], gatedBy = [] } = request;
  // After a confirm, the state must know whether it took effect: that is worth a second round of dials.
  const errorLimit = step === "6/6 confirm" ? 1 : 0;
  const dialing = { ...context.dialing, errorLimit };
  return retry({ errorLimit: 4, tryMs: 0, choosePause: pauseIfRefused }, () =>
    reachHost([reached.route], [policy, ...formerPolicies, ...gatedBy], true, dialing),
  );
}
