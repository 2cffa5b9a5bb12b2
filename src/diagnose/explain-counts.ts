import type { Counts, GateCounts } from "../policy/counts.js";
import { isTokenGate } from "../policy/knock.js";
import type { Policy } from "../policy/policy.js";

/**
 * Explains a knock by a host's counters from before and after it. One line for each gate.
 *
 * The kernel counts packets of all sources together. If others knock at the same time, a line may be about them.
 */
export function explainCounters(policy: Policy, before: Counts, after: Counts): readonly string[] {
  return policy.gates.map((gate) => {
    const { name } = gate;
    const [earlier, later] = [before.get(name), after.get(name)];
    const text =
      earlier === undefined || later === undefined
        ? "the host has no counters for it: `pulumi refresh` says what the host has"
        : explainGate(earlier, later, isTokenGate(gate));
    return `${name}: ${text}`;
  });
}

function explainGate(before: GateCounts, after: GateCounts, isToken: boolean): string {
  const accepted = after.accepted - before.accepted;
  const dropped = after.dropped - before.dropped;
  // iptables counts neither, so both are `undefined` there.
  const opened = subtract(after.opened, before.opened);
  const reset = subtract(after.reset, before.reset);
  const rises = [accepted, dropped, opened ?? 0, reset ?? 0];
  if (rises.some((rise) => rise < 0)) {
    return "the counters began again at 0, because the ruleset was loaded: knock again";
  }
  const counted = [
    ...(opened === undefined ? [] : [`${opened} opened`]),
    `${accepted} accepted`,
    `${dropped} dropped`,
    ...(reset === undefined ? [] : [`${reset} reset`]),
  ].join(", ");
  return `${counted}: ${conclude(accepted, dropped, opened, reset ?? 0, isToken)}`;
}

function conclude(
  accepted: number,
  dropped: number,
  opened: number | undefined,
  reset: number,
  isToken: boolean,
): string {
  if (accepted > 0) return "a connection came through the open door";
  if (opened !== undefined && opened > 0) {
    return dropped > 0
      ? "a knock opened the door, and connections were dropped: they came from another address than the knock, before it, or too late"
      : "a knock opened the door, and no connection came to a protected port: does the client connect to that port, and does anything on the way drop it?";
  }
  if (reset > 0) return "a knock began, and another packet put it back to the start";
  if (dropped > 0 && isToken)
    return "connections arrive and are dropped, and no token opened the door: none came, or it was used, late, early or made for another gate or host";
  if (dropped > 0) {
    return opened === undefined
      ? "connections arrive and are dropped; this backend does not count knocks, so capture the packets"
      : "connections arrive and are dropped, and no knock was completed: a step was lost, late or wrong";
  }
  return "nothing arrived at the protected ports: does the client use this host's address, and does anything on the way drop it?";
}

function subtract(after: number | undefined, before: number | undefined): number | undefined {
  return after === undefined || before === undefined ? undefined : after - before;
}
