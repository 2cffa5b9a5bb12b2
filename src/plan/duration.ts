import type { Policy } from "../policy/policy.js";
import { protocols } from "../policy/port.js";
import { listProtected } from "../policy/protect.js";

/** How long a step without an answer is waited for, and an answer or a count takes on an ordinary line. */
const secondsPerStep = 0.15;
const secondsPerAnswer = 0.3;
const secondsForSsh = 2;

/**
 * Estimates how long the proof of a policy takes from outside when nothing gets lost, in seconds: gates are knocked at
 * one after another, because the packets of one knock would put another back to the start.
 */
export function estimateProofSeconds(policy: Policy): number {
  return policy.gates.reduce((sum, gate) => {
    const proofs = protocols.filter((protocol) => listProtected(gate, protocol).length > 0).length;
    return sum + proofs * (gate.knock.steps.length * secondsPerStep + secondsPerAnswer);
  }, secondsForSsh);
}

/**
 * How long one command on a host may take, in milliseconds: nft and iptables-restore read some hundred kilobytes of
 * rules in a second, and a slow machine needs several times as long.
 */
export function limitCommandMs(rulesetText: string): number {
  return 30_000 + rulesetText.length / 50;
}
