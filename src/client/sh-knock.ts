import { unreachable } from "../errors.js";
import type { Step } from "../policy/step.js";
import { isEmptyDatagram } from "./empty-datagram.js";
import { isName, visitAddresses } from "./visit-addresses.js";

/**
 * Lets a command go on in the background for half a second at most, as in `bash-knock.ts`. What a shell starts in the
 * background reads nothing (POSIX, 2.11 of "Shell Command Language"), so its input comes by another number.
 */
const send =
  's(){ "$@" <&3 & p=$!; for i in 1 2 3 4 5; do kill -0 $p || break; sleep .1; done; kill $p; wait $p; } 3<&0';

/** The tool that sends a step of each kind. */
export const shTools: Readonly<Record<Step["kind"], "nc" | "ping">> = {
  tcp: "nc",
  udp: "nc",
  icmpEcho: "ping",
};

/**
 * Writes a program for any POSIX sh (with a `sleep` that knows fractions, as all have) that sends a knock to the host that
 * is its `$1` by nc and, for echo requests, ping(8), each step once. It says nothing but that one of the two is missing.
 *
 * Of nc's options only those are used that all netcats have, except `-u`, which busybox's may lack: `-w` ends it by itself
 * where this shell can't. It holds no single quote, no backslash and no line break.
 *
 * @param host what its `$1` will be: a name may have several addresses
 * @returns `undefined` where nc can't send a step: it sends what it reads, and of nothing no datagram.
 */
export function writeShKnock(steps: readonly Step[], host: string): string | undefined {
  if (steps.some(isEmptyDatagram)) return undefined;
  const tools = [...new Set(steps.map(({ kind }) => shTools[kind]))];
  const parts = [
    ...(isName(host) ? [] : ["h=$1"]),
    // Not every shell's own words for it go to standard error.
    ...tools.map((tool) => `command -v ${tool} >/dev/null || { echo ${tool}: not found >&2; exit 127; }`),
    send,
    `{ ${visitAddresses(host, steps.map(writeStep).join("; "))}; } </dev/null >/dev/null 2>&1`,
  ];
  return parts.join("; ");
}

/** A datagram is as long as what is read at once. */
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
