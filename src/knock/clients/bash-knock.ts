import { unreachable } from "../../errors.js";
import type { Step } from "../../policy/step.js";
import { isEmptyDatagram } from "./empty-datagram.js";
import { isName, visitAddresses } from "./visit-addresses.js";

/**
 * Runs a command in the background for half a second at most. This is less than the second after which the kernel
 * repeats an unanswered SYN (RFC 6298, 2.1), and enough to look up a name. macOS has no `timeout`, and its bash's `read
 * -t` takes only whole seconds.
 */
export const runBriefly =
  's(){ "$@" & p=$!; for i in 1 2 3 4 5; do kill -0 $p || break; sleep .1; done; kill $p; wait $p; }';

const sendSyn = 't(){ : >"/dev/tcp/$h/$1"; }';

/** What the program needs to send a step of each kind. */
const needs: Readonly<Record<Step["kind"], readonly ("send" | "sendSyn" | "ping")[]>> = {
  tcp: ["send", "sendSyn"],
  udp: [],
  icmpEcho: ["send", "ping"],
};

/**
 * Writes a program for bash 3.2 or newer that sends a knock to the host in its `$1`, each step once. It prints nothing,
 * except that ping is missing. It sends echo requests with ping(8) as the user who runs it. It contains no single
 * quote, no backslash, no percent sign and no line break, so it can stand in single quotes in any shell.
 *
 * @param host the value of its `$1`: a name may have several addresses
 * @returns `undefined` when bash can't send a step: it can't send a datagram without payload.
 */
export function writeBashKnock(steps: readonly Step[], host: string): string | undefined {
  if (steps.some(isEmptyDatagram)) return undefined;
  const needed = new Set(steps.flatMap(({ kind }) => needs[kind]));
  const parts = [
    ...(isName(host) ? [] : ["h=$1"]),
    // `type` reports that ping is missing, before anything is sent.
    ...(needed.has("ping") ? ["type ping >/dev/null || exit"] : []),
    ...(needed.has("send") ? [runBriefly] : []),
    ...(needed.has("sendSyn") ? [sendSyn] : []),
    `{ ${visitAddresses(host, steps.flatMap(writeStep).join("; "))}; } >/dev/null 2>&1`,
  ];
  return parts.join("; ");
}

/**
 * A datagram gets no answer to wait for, so a pause follows it: packets that are sent together could overtake each
 * other.
 */
function writeStep(step: Step): readonly string[] {
  switch (step.kind) {
    case "tcp":
      return [`s t ${step.port}`];
    case "udp": {
      const socket = `"/dev/udp/$h/${step.port}"`;
      // One write, so one datagram, whatever the size of a buffer.
      const sized = `dd if=/dev/zero bs=${step.payloadBytes} count=1`;
      return [`${step.payloadBytes === undefined ? "echo" : sized} >${socket}`, "sleep .1"];
    }
    case "icmpEcho":
      return [`s ping -q -c 1 -s ${step.payloadBytes} "$h"`];
    default:
      return unreachable(step);
  }
}
