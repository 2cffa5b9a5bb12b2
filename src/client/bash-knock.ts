import { unreachable } from "../errors.js";
import type { Step } from "../policy/step.js";
import { isEmptyDatagram } from "./empty-datagram.js";
import { isName, visitAddresses } from "./visit-addresses.js";

/**
 * Lets a command go on in the background for half a second at most: less than the second after which the kernel would
 * send an unanswered SYN once more (RFC 6298, 2.1), and time enough to look a name up. `timeout` is not everywhere
 * (macOS lacks it), and bash's own `read -t` takes whole seconds there.
 */
const send =
  's(){ "$@" & p=$!; for i in 1 2 3 4 5; do kill -0 $p || break; sleep .1; done; kill $p; wait $p; }';

const sendSyn = 't(){ : >"/dev/tcp/$h/$1"; }';

/** What the program needs to send a step of each kind. */
const needs: Readonly<Record<Step["kind"], readonly ("send" | "sendSyn" | "ping")[]>> = {
  tcp: ["send", "sendSyn"],
  udp: [],
  icmpEcho: ["send", "ping"],
};

/**
 * Writes a program for bash 3.2 or newer that sends a knock to the host that is its `$1`, each step once, and says
 * nothing. Echo requests are sent by ping(8) of whoever runs it. It holds no single quote, no backslash, no percent sign
 * and no line break, so that it can stand in single quotes for any shell.
 *
 * @param host what its `$1` will be: a name may have several addresses
 * @returns `undefined` where bash can't send a step: it has no way to send a datagram without payload.
 */
export function writeBashKnock(steps: readonly Step[], host: string): string | undefined {
  if (steps.some(isEmptyDatagram)) return undefined;
  const needed = new Set(steps.flatMap(({ kind }) => needs[kind]));
  const parts = [
    ...(isName(host) ? [] : ["h=$1"]),
    // Says itself what is missing, before anything is sent.
    ...(needed.has("ping") ? ["type ping >/dev/null || exit"] : []),
    ...(needed.has("send") ? [send] : []),
    ...(needed.has("sendSyn") ? [sendSyn] : []),
    `{ ${visitAddresses(host, steps.flatMap(writeStep).join("; "))}; } >/dev/null 2>&1`,
  ];
  return parts.join("; ");
}

/** A datagram gets no answer to wait for; packets that leave together could overtake each other. */
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
