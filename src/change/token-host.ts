import { KnockgateError } from "../errors.js";
import type { Observed } from "../host/observed.js";
import type { ObservedTokens } from "../host/tokens.js";
import { findGate, isAllowed } from "../policy/gate.js";
import { isTokenGate } from "../policy/knock.js";
import type { Policy } from "../policy/policy.js";
import { isInAny } from "../policy/prefix.js";
import { findDeployUser, listTokenGates } from "../policy/user.js";
import { findKnock } from "./knocker.js";
import type { Purse } from "./purse.js";
import { writeMinute } from "./utc.js";

/** A smaller difference does not matter: a host takes tokens of the next slots, too. */
const mostClockSeconds = 60;

/**
 * Checks that a host can hold a policy's tokens, and that its clock lets them open.
 *
 * @param nowMs the deployer's clock, since 1970
 * @throws KnockgateError `HOST_UNFIT`
 */
export function checkTokenHost(observed: Observed, policy: Policy, nowMs: number): void {
  if (listTokenGates(policy).length === 0) return;
  if (observed.refusesTokens) {
    const why =
      "the host can't hold tokens: that needs nft 0.9.4 or newer, and a shell with a printf of its own";
    throw new KnockgateError("HOST_UNFIT", `${why}; upgrade it, or use steps for the policy's gates`);
  }
  const seconds = measureClock(observed, nowMs);
  if (Math.abs(seconds) <= policy.tokens.horizonDays * 86_400) return;
  throw new KnockgateError(
    "HOST_UNFIT",
    `the host's clock is ${nameDifference(seconds)} this machine's, which is more than horizonDays: no token of a right clock would open its gates. Correct that clock, for example with chrony`,
  );
}

/** Lists, a line each, what may keep tokens from opening the gates. */
export function listTokenWarnings(observed: Observed, policy: Policy, nowMs: number): readonly string[] {
  if (listTokenGates(policy).length === 0) return [];
  const seconds = measureClock(observed, nowMs);
  if (Math.abs(seconds) <= mostClockSeconds) return [];
  const which =
    seconds > 0 ? "the first tokens of right clocks are late for it" : "it takes tokens that are past";
  return [
    `the host's clock is ${nameDifference(seconds)} this machine's: ${which}. Correct the wrong one, for example with chrony`,
  ];
}

/** Positive: the host's clock is ahead. */
function measureClock({ clock }: Observed, nowMs: number): number {
  return clock === undefined ? 0 : Math.round(clock - nowMs / 1_000);
}

function nameDifference(seconds: number): string {
  const size = Math.abs(seconds);
  const [count, unit] =
    size < 120
      ? [size, "s"]
      : size < 7_200
        ? [Math.round(size / 60), "min"]
        : [Math.round(size / 3_600), "h"];
  return `${count} ${unit} ${seconds > 0 ? "ahead of" : "behind"}`;
}

/**
 * Checks that the deployer's tokens open the gate of the SSH port from its address.
 *
 * @throws KnockgateError `LOCKOUT`
 */
export function checkDeployUser(
  { clientAddress }: Pick<Observed, "clientAddress">,
  policy: Policy,
  sshPort: number,
): void {
  const gate = findGate(policy, sshPort);
  if (gate === undefined || !isTokenGate(gate) || isAllowed(policy, clientAddress)) return;
  const user = findDeployUser(policy, gate.name);
  if (policy.deployAs !== undefined && user?.name !== policy.deployAs) {
    throw new KnockgateError(
      "LOCKOUT",
      `the tokens of user ${policy.deployAs}, whom deployAs names, do not open gate ${gate.name} of the SSH port: add the gate to the user's gates, or name another user in deployAs`,
    );
  }
  if (user?.from === undefined || isInAny(clientAddress, user.from)) return;
  throw new KnockgateError(
    "LOCKOUT",
    `the tokens of user ${user.name}, as whom the deployer passes gate ${gate.name}, do not count from this machine's address: add it to the user's from, or name another user in deployAs`,
  );
}

/** Notes which tokens a host holds for the deployer. */
export function learnTokens(
  purse: Purse,
  policy: Policy,
  host: string,
  tokens: ObservedTokens | undefined,
  clock: number | undefined,
): void {
  for (const gate of listTokenGates(policy)) {
    const knock = findKnock(policy, gate, host);
    if (knock.kind !== "tokens") continue;
    const user = tokens?.users.find((one) => one.gate === gate.name && one.user === knock.user);
    if (user !== undefined) purse.learn(knock, { from: user.from, clock });
  }
}

/** Says until when a host holds tokens. Nothing when the policy has none. */
export function describeHorizon(tokens: ObservedTokens | undefined): readonly string[] {
  if (tokens === undefined) return [];
  if (tokens.until === 0) return ["warning: the host holds no tokens of some user now"];
  return [`the host holds tokens: the gates can be opened until ${writeMinute(tokens.until)} without a fill`];
}
