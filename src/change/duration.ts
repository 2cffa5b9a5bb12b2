import { isTokenGate, stepsOf } from "../policy/knock.js";
import type { Policy } from "../policy/policy.js";
import { protocols } from "../policy/port.js";
import { listProtected } from "../policy/protect.js";
import { countSlots } from "../policy/token.js";
import { listTokenGates, listUsersOf } from "../policy/user.js";

/**
 * The time that a proof waits after a step, which gets no answer, and the time that an answer or a count takes on an
 * ordinary connection.
 */
const secondsPerStep = 0.15;
const secondsPerAnswer = 0.3;
const secondsForSsh = 2;
/** The proof that a used token opens nothing: two silences of a port. */
const secondsForReuse = 2;
/** The load of one token, after the host has computed it. A slow machine needs that long. */
const secondsPerToken = 0.0002;

/**
 * Estimates how many seconds the proof of a policy from outside takes when no packet is lost. Gates are proven one
 * after another, because the packets of one knock would put another knock back to the start.
 */
export function estimateProofSeconds(policy: Policy): number {
  return policy.gates.reduce(
    (sum, gate) => {
      const proofs = protocols.filter((protocol) => listProtected(gate, protocol).length > 0).length;
      const steps = isTokenGate(gate) ? 1 : stepsOf(gate).length;
      const reuse = isTokenGate(gate) ? secondsForReuse : 0;
      return sum + proofs * (steps * secondsPerStep + secondsPerAnswer + reuse);
    },
    secondsForSsh + countTokens(policy) * secondsPerToken,
  );
}

function countTokens(policy: Policy): number {
  const holders = listTokenGates(policy).flatMap(({ name }) => listUsersOf(policy, name));
  return holders.length * countSlots(policy.tokens);
}

/**
 * Limits how long one command on a host may take, in milliseconds. nft and iptables-restore read some hundred kilobytes
 * of rules per second. A slow machine needs several times as long.
 */
export function limitCommandMs(rulesetText: string): number {
  return 30_000 + rulesetText.length / 50;
}
