import { hasRisen } from "../../host/counts.js";
import { firstPort } from "../../policy/gate.js";
import type { Gate, Policy } from "../../policy/policy.js";
import type { Protocol } from "../../policy/port.js";
import {
  describeTry,
  makeKnockerBefore,
  makeOwnKnocker,
  nameTarget,
  notConfirmed,
  type ProofContext,
  proofTries,
} from "./proof.js";
import { proveSpent } from "./prove-spent.js";
import { traceKnock } from "./trace-knock.js";

/**
 * Proves that a gate opens for its knock: its TCP port answers, and the kernel counts a datagram to its UDP port as
 * accepted.
 *
 * @throws KnockgateError `NOT_CONFIRMED` when a port stays closed
 */
export async function proveOpens(
  policy: Policy,
  gate: Gate,
  asked: readonly Protocol[],
  context: ProofContext,
): Promise<void> {
  const tcp = asked.includes("tcp") ? firstPort(gate, "tcp") : undefined;
  const udp = asked.includes("udp") ? firstPort(gate, "udp") : undefined;
  if (tcp !== undefined) await proveTcp(policy, gate, tcp, context);
  if (udp !== undefined) await proveUdp(policy, gate, udp, context);
}

async function proveTcp(policy: Policy, gate: Gate, port: number, context: ProofContext): Promise<void> {
  const { prober, dialMs, log } = context;
  const before = makeKnockerBefore(port, context);
  const own = makeOwnKnocker(policy, gate, context);
  for (let tries = 0; tries < proofTries; tries += 1) {
    const sent = own.next();
    await prober.knock([...before.next(), ...sent]);
    const answer = await prober.probePort(port, Math.max(1_500, 4 * dialMs));
    if (answer !== "silent") {
      const where = `TCP port ${port}${nameTarget(context)}`;
      log(`open: gate ${gate.name} answers on ${where} after the knock (${answer})`);
      return proveSpent(gate, { protocol: "tcp", port }, { own, sent }, context);
    }
    log(describeTry(tries, `TCP port ${port} of gate ${gate.name} does not answer`));
  }
  const course = await traceKnock(policy, gate, context);
  throw notConfirmed(describeShut(`TCP port ${port} of gate ${gate.name} does not answer`, course));
}

async function proveUdp(policy: Policy, gate: Gate, port: number, context: ProofContext): Promise<void> {
  const { prober, log } = context;
  const own = makeOwnKnocker(policy, gate, context);
  for (let tries = 0; tries < proofTries; tries += 1) {
    const before = await context.countPackets();
    if (before === undefined) {
      return log(
        `open: UDP port ${port} of gate ${gate.name} not checked, because the host's counters can't be read`,
      );
    }
    const sent = own.next();
    await prober.knock([...sent, { kind: "udp", port }]);
    if (hasRisen("accepted", gate, before, await context.countPackets(), 1)) {
      log(
        `open: gate ${gate.name} lets a datagram through to UDP port ${port} after the knock; its own counter saw it`,
      );
      return proveSpent(gate, { protocol: "udp", port }, { own, sent }, context);
    }
    log(describeTry(tries, `the counter of gate ${gate.name} saw no datagram to UDP port ${port}`));
  }
  const course = await traceKnock(policy, gate, context);
  const what = `gate ${gate.name} lets no datagram through to UDP port ${port}`;
  throw notConfirmed(describeShut(what, course));
}

/** @param course how far the knock came on the host, if that is known */
function describeShut(what: string, course: string | undefined): string {
  const question = "Does a step get lost on the way from here, or does another firewall drop the port?";
  return `${what} after ${proofTries} knocks. ${course ?? question}`;
}
