import type { Step } from "../policy/policy.js";
import { isName, visitAddresses } from "./visit-addresses.js";

/**
 * Lets a command go on in the background for half a second at most: less than the second after which the kernel would
 * send an unanswered SYN once more (RFC 6298, 2.1), and time enough to look a name up. `timeout` is not everywhere
 * (macOS lacks it), and bash's own `read -t` takes whole seconds there.
 */
const send =
  's(){ "$@" & p=$!; for i in 1 2 3 4 5; do kill -0 $p || break; sleep .1; done; kill $p; wait $p; }';

const sendSyn = 't(){ : >"/dev/tcp/$h/$1"; }';

/**
 * Writes a program for bash 3.2 or newer that sends a knock to the host that is its `$1`, each step once, and says
 * nothing. Echo requests are sent by ping(8) of whoever runs it. It holds no single quote, no backslash, no percent sign
 * and no line break, so that it can stand in single quotes for any shell.
 *
 * @param host what its `$1` will be: a name may have several addresses
 * @returns `undefined` where bash can't send a step: it has no way to send a datagram without payload.
 */
export function writeBashKnock(steps: readonly Step[], host: string): string | undefined {
  if (steps.some((step) => step.udpPayloadBytes === 0)) return undefined;
  const needsSyn = steps.some((step) => step.tcp !== undefined);
  const needsPing = steps.some((step) => step.icmpPayloadBytes !== undefined);
  const parts = [
    ...(isName(host) ? [] : ["h=$1"]),
    // Says itself what is missing, before anything is sent.
    ...(needsPing ? ["type ping >/dev/null || exit"] : []),
    ...(needsSyn || needsPing ? [send] : []),
    ...(needsSyn ? [sendSyn] : []),
    `{ ${visitAddresses(host, steps.flatMap(writeStep).join("; "))}; } >/dev/null 2>&1`,
  ];
  return parts.join("; ");
}

/** A datagram gets no answer to wait for; packets that leave together could overtake each other. */
function writeStep({ tcp, udp, udpPayloadBytes, icmpPayloadBytes }: Step): readonly string[] {
  const socket = `"/dev/udp/$h/${udp}"`;
  if (tcp !== undefined) return [`s t ${tcp}`];
  if (icmpPayloadBytes !== undefined) return [`s ping -q -c 1 -s ${icmpPayloadBytes} "$h"`];
  if (udpPayloadBytes === undefined) return [`echo >${socket}`, "sleep .1"];
  // One write, so one datagram, whatever the size of a buffer.
  return [`dd if=/dev/zero bs=${udpPayloadBytes} count=1 >${socket}`, "sleep .1"];
}
