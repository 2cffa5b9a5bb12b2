import type { Policy } from "../policy/policy.js";
import type { Reaction } from "./machine.js";

/** Explains in words how a gate reacted to a packet. Steps are named by position, because their values are secret. */
export function explainReaction(policy: Policy, reaction: Reaction): string {
  const gate = policy.gates.find(({ name }) => name === reaction.gate);
  const steps = gate?.knock.steps.length ?? 0;
  const late =
    reaction.expired > 0
      ? `step ${reaction.expired + 1} did not come within ${gate?.knock.stepTimeoutSeconds} s of step ${reaction.expired}, so the steps so far were forgotten; `
      : "";
  return `${reaction.gate}: ${late}${describe(reaction, steps)}`;
}

function describe({ kind, taken }: Reaction, steps: number): string {
  switch (kind) {
    case "step":
      return `step ${taken} of ${steps} taken`;
    case "again":
      return `step ${taken} once more, which changes nothing`;
    case "opened":
      return `step ${steps} of ${steps} taken: the door is open`;
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
