import { unreachable } from "../../errors.js";
import type { Step } from "../../policy/step.js";
import { isEmptyDatagram } from "./empty-datagram.js";
import { runBriefly } from "./run-briefly.js";
import { isName, visitAddresses } from "./visit-addresses.js";

/** The tool that sends a step of each kind. */
export const shTools: Readonly<Record<Step["kind"], "nc" | "ping">> = {
  tcp: "nc",
  udp: "nc",
  icmpEcho: "ping",
};

/**
 * Writes a program for any POSIX sh (with a `sleep` that knows fractions, as all have) that sends a knock to the host
 * in its `$1`, each step once. It uses nc, and ping(8) for echo requests. It prints nothing, except that one of the two
 * is missing.
 *
 * It uses only options that the nc of every netcat has, except `-u`, which busybox's nc may lack. `-w` ends nc where
 * the shell can't. The program contains no single quote, no backslash and no line break.
 *
 * @param host the value of its `$1`: a name may have several addresses
 * @returns `undefined` when nc can't send a step: nc sends what it reads, and if it reads nothing, it sends no
 *   datagram.
 */
export function writeShKnock(steps: readonly Step[], host: string): string | undefined {
  if (steps.some(isEmptyDatagram)) return undefined;
  const tools = [...new Set(steps.map(({ kind }) => shTools[kind]))];
  const parts = [
    ...(isName(host) ? [] : ["h=$1"]),
    // Some shells do not write their own message about it to standard error.
    ...tools.map((tool) => `command -v ${tool} >/dev/null || { echo ${tool}: not found >&2; exit 127; }`),
    runBriefly.sh,
    `{ ${visitAddresses(host, steps.map(writeStep).join("; "))}; } </dev/null >/dev/null 2>&1`,
  ];
  return parts.join("; ");
}

/** nc sends what it reads at once as one datagram. */
function writeStep(step: Step): string {
  switch (step.kind) {
    case "tcp":
      return `s nc -w 1 "$h" ${step.port}`;
    case "udp":
      return `printf %0${step.payloadBytes ?? 1}d 0 | s nc -u -w 1 "$h" ${step.port}`;
    case "icmpEcho":
      return `s ping -q -c 1 -s ${step.payloadBytes} "$h"`;
    default:
      return unreachable(step);
  }
}
