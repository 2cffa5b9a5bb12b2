import { isIPv6 } from "node:net";
import { KnockgateError, unreachable } from "../errors.js";
import type { KnockStep } from "./packet.js";

const remedy =
  "allow its user's group in the sysctl net.ipv4.ping_group_range, or give perl the capability CAP_NET_RAW";

/** Whether a step is an echo request: not every machine may send them. */
export function needsEcho(steps: readonly KnockStep[]): boolean {
  return steps.some(isEcho);
}

function isEcho(step: KnockStep): boolean {
  switch (step.kind) {
    case "tcp":
    case "udp":
      return false;
    case "icmpEcho":
      return true;
    case "token":
      return step.carrier.kind === "icmpEcho";
    default:
      return unreachable(step);
  }
}

/**
 * Checks that a machine may send echo requests to the given addresses.
 *
 * @param answers the packet program's answers on that machine
 * @throws KnockgateError `HOST_UNFIT` when it may not
 */
export function checkEcho(name: string, answers: readonly string[], addresses: readonly string[]): void {
  for (const digit of new Set(addresses.map((address) => (isIPv6(address) ? "6" : "4")))) {
    const answer = answers.find((line) => line.startsWith(`echo ${digit} `));
    if (answer === `echo ${digit} yes`) continue;
    const why = answer?.replace(/^echo \d no /, "") ?? "no answer";
    throw new KnockgateError(
      "HOST_UNFIT",
      `${name} may not send ICMP echo requests, a step of the knock (IPv${digit}: ${why}): ${remedy}. Nothing was sent.`,
    );
  }
}
