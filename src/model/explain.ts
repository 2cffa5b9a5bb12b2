import { unreachable } from "../errors.js";
import { stepsOf } from "../policy/knock.js";
import type { Policy } from "../policy/policy.js";
import type { Reaction } from "./state.js";
import type { TokenFault } from "./token.js";

/** Explains in words how a gate reacted to a packet. Steps are named by position, because their values are secret. */
export function explainReaction(policy: Policy, reaction: Reaction): string {
  const gate = policy.gates.find(({ name }) => name === reaction.gate);
  const steps = gate === undefined ? 0 : stepsOf(gate).length;
  const pause = gate?.knock.kind === "sequence" ? gate.knock.stepTimeoutSeconds : 0;
  const late =
    reaction.expired > 0
      ? `step ${reaction.expired + 1} did not come within ${pause} s of step ${reaction.expired}, so the steps so far were forgotten; `
      : "";
  return `${reaction.gate}: ${late}${describe(reaction, steps)}`;
}

function describe({ kind, taken, user, fault }: Reaction, steps: number): string {
  switch (kind) {
    case "step":
      return `step ${taken} of ${steps} taken`;
    case "again":
      return `step ${taken} once more, which changes nothing`;
    case "opened":
      if (user !== undefined) return `a token of ${user}: the door is open`;
      return `step ${steps} of ${steps} taken: the door is open`;
    case "closed":
      return `a token of ${user} with one byte more: the door is closed`;
    case "refused":
      return describeFault(fault);
    case "reset":
      return "not the next step: strict puts the source back to the start";
    case "stray":
      return `not the next step; ${taken} of ${steps} taken`;
    case "accepted":
      return "came through the open door";
    case "dropped":
      return "dropped at the closed door";
  }
}

/** Says why a packet of a token's size did nothing. */
export function describeFault(fault: TokenFault | undefined): string {
  switch (fault) {
    case "spent":
      return "a token that was used, or that the host had lost before: it does not count again";
    case "late":
      return "a token whose slot and grace are over";
    case "early":
      return "a token of a slot beyond the horizon";
    case "source":
      return "a token of a user whose tokens do not count from this source";
    case "unknown":
    case undefined:
      return "of the size of a token, but none of this gate's users made it for this gate and host";
    default:
      return unreachable(fault);
  }
}
