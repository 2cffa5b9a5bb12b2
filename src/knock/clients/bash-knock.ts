import { unreachable } from "../../errors.js";
import type { Step } from "../../policy/step.js";
import { isEmptyDatagram } from "./empty-datagram.js";
import { stepSeconds, writeInterruption } from "./interruption.js";
import { isName, visitAddresses } from "./visit-addresses.js";

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
  const parts = [
    ...(isName(host) ? [] : ["h=$1"]),
    ...writeBashNeeds(steps),
    `{ ${interruptSteps(steps, visitAddresses(host, writeBashSteps(steps)))}; } >/dev/null 2>&1`,
  ];
  return parts.join("; ");
}

/** Writes code that reports that ping is missing, before anything is sent. */
export function writeBashNeeds(steps: readonly Step[]): readonly string[] {
  return steps.some(({ kind }) => kind === "icmpEcho") ? ["type ping >/dev/null || exit"] : [];
}

/** A knock of datagrams waits for no answer, so nothing needs to interrupt it. */
export function interruptSteps(steps: readonly Step[], act: string): string {
  if (steps.every(({ kind }) => kind === "udp")) return act;
  const { begin, end } = writeInterruption(stepSeconds);
  return [begin, act, end].join("; ");
}

/**
 * Writes code for bash that sends the steps to the address in `$h`. The shell itself waits for the answer to a SYN, so
 * that the next packet can't overtake it; starting a process for each step would take longer than the knock. Something
 * must interrupt it where no answer comes, see {@link writeInterruption}.
 */
export function writeBashSteps(steps: readonly Step[]): string {
  return steps.flatMap(writeStep).join("; ");
}

/**
 * A datagram gets no answer to wait for, so a pause follows it: packets that are sent together could overtake each
 * other.
 */
function writeStep(step: Step): readonly string[] {
  switch (step.kind) {
    case "tcp":
      return [`true >"/dev/tcp/$h/${step.port}"`];
    case "udp": {
      const socket = `"/dev/udp/$h/${step.port}"`;
      // One write, so one datagram, whatever the size of a buffer.
      const sized = `dd if=/dev/zero bs=${step.payloadBytes} count=1`;
      return [`${step.payloadBytes === undefined ? "echo" : sized} >${socket}`, "sleep .1"];
    }
    case "icmpEcho":
      return [`ping -q -c 1 -s ${step.payloadBytes} "$h" & wait $! || kill $!`];
    default:
      return unreachable(step);
  }
}
