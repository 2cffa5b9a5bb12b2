import { hasRisen } from "../../host/counts.js";
import type { PortAnswer } from "../../knock/packet.js";
import type { Counts } from "../../policy/counts.js";
import { firstPort } from "../../policy/gate.js";
import type { Gate, Policy } from "../../policy/policy.js";
import { nameTarget, notConfirmed, type ProofContext, proofTries } from "./proof.js";

/** UDP gives no answer that tells open from closed, and one datagram may get lost. */
const datagrams = 2;

/**
 * Proves that each gate drops packets before its knock: nothing answers, and the gate's own counter in the kernel saw
 * the packets. It tries all gates at once, because each silence takes its time.
 *
 * @throws KnockgateError `NOT_CONFIRMED` when a port answers, or a UDP gate's counter did not see all datagrams
 */
export async function proveClosed(policy: Policy, context: ProofContext): Promise<void> {
  const { unseen, canCount } = await findUnseen(policy, context);
  for (const gate of unseen) concludeUnseen(gate, canCount, context);
}

/**
 * Tries each gate before its knock, and logs the gates that are proven closed.
 *
 * @returns the gates that did not answer and whose counters did not see all packets
 * @throws KnockgateError `NOT_CONFIRMED` when a port answers
 */
export async function findUnseen(
  policy: Policy,
  context: ProofContext,
): Promise<{ readonly unseen: readonly Gate[]; readonly canCount: boolean }> {
  let waiting: readonly Gate[] = policy.gates;
  let before = context.counted;
  for (let tries = 0; tries < proofTries && waiting.length > 0; tries += 1) {
    const earlier = before;
    const isSeen = (gate: Gate, counts: Counts | undefined) =>
      hasRisen("dropped", gate, earlier, counts, countSent(gate));
    // Reading the counts takes about as long as waiting for the silence. It may come too early: packets from another
    // machine leave later.
    const [answers, early] = await Promise.all([
      Promise.all(waiting.map((gate) => tryDoor(gate, context))),
      context.countPackets(),
    ]);
    for (const [index, gate] of waiting.entries()) refuseAnswer(gate, answers[index] ?? "silent", context);
    const isEnough = early === undefined || waiting.every((gate) => isSeen(gate, early));
    const after = isEnough ? early : await context.countPackets();
    const seen = waiting.filter((gate) => isSeen(gate, after));
    for (const gate of seen) context.log(describeClosed(gate, context));
    waiting = waiting.filter((gate) => !seen.includes(gate));
    if (after === undefined) break;
    before = after;
  }
  return { unseen: waiting, canCount: before !== undefined };
}

async function tryDoor(gate: Gate, { prober, dialMs }: ProofContext): Promise<PortAnswer> {
  const tcp = firstPort(gate, "tcp");
  const udp = firstPort(gate, "udp");
  // The counter shows whether the packet arrived, so a short wait is enough.
  const waitMs = Math.min(3_000, Math.max(400, dialMs));
  const [answer = "silent"] = await Promise.all([
    tcp === undefined ? undefined : prober.probePort(tcp, waitMs),
    udp === undefined
      ? undefined
      : prober.knock(Array.from({ length: datagrams }, () => ({ kind: "udp", port: udp }))),
  ]);
  return answer;
}

function countSent(gate: Gate): number {
  return (
    (firstPort(gate, "tcp") === undefined ? 0 : 1) + (firstPort(gate, "udp") === undefined ? 0 : datagrams)
  );
}

function refuseAnswer(gate: Gate, answer: PortAnswer, context: ProofContext): void {
  if (answer === "silent") return;
  const { target } = context.prober;
  const where = nameTarget(context) === "" || target === undefined ? "" : ` at ${target}`;
  throw notConfirmed(
    `TCP port ${firstPort(gate, "tcp")} of gate ${gate.name} answers${where} before the knock (${answer}): ` +
      "does a rule of another firewall accept it before the gate sees it?",
  );
}

function describeClosed(gate: Gate, context: ProofContext): string {
  const tcp = firstPort(gate, "tcp");
  const udp = firstPort(gate, "udp");
  const ports = [
    ...(tcp === undefined ? [] : [`does not answer on TCP port ${tcp}${nameTarget(context)}`]),
    ...(udp === undefined ? [] : [`lets nothing through to UDP port ${udp}${nameTarget(context)}`]),
  ];
  return `closed: gate ${gate.name} ${ports.join(" and ")} before the knock; its own counter saw the packets dropped`;
}

/** Another rule drops or accepts what the gate's counter did not see, or it got lost on the way. */
function concludeUnseen(gate: Gate, canCount: boolean, { log }: ProofContext): void {
  const tcp = firstPort(gate, "tcp");
  const udp = firstPort(gate, "udp");
  if (udp !== undefined && canCount) {
    throw notConfirmed(
      `the drop counter of gate ${gate.name} did not count all datagrams that were sent to UDP port ${udp} before the knock: ` +
        "does a rule of another firewall take them before the gate sees them, or do they get lost on the way from here?",
    );
  }
  if (tcp !== undefined) {
    const seen = canCount
      ? "; its own counter saw nothing, so something else drops it first"
      : "; the host's counters can't be read";
    log(`closed: gate ${gate.name} does not answer on TCP port ${tcp} before the knock${seen}`);
  }
  if (udp !== undefined) {
    log(
      `closed: UDP port ${udp} of gate ${gate.name} not checked, because the host's counters can't be read`,
    );
  }
}
