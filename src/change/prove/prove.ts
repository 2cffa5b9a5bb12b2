import { KnockgateError } from "../../errors.js";
import { findGate, isAllowed } from "../../policy/gate.js";
import type { Gate, Policy } from "../../policy/policy.js";
import type { HostConnection } from "../../ssh/host.js";
import { listBefore, type OtherGate } from "../behind.js";
import { dial } from "../reach.js";
import {
  describeTry,
  limitDial,
  makeKnockerBefore,
  makeOwnKnocker,
  notConfirmed,
  type ProofContext,
  proofTries,
} from "./proof.js";
import { proveOthersClosed, proveOthersOpen } from "./prove-address.js";
import { proveClosed } from "./prove-closed.js";
import { proveOpens } from "./prove-open.js";
import { proveSpent } from "./prove-spent.js";
import { traceKnock } from "./trace-knock.js";

/**
 * Proves from outside that each gate is closed before its knock and open after it, and that a fresh SSH connection
 * comes through. Returns that connection.
 *
 * @throws KnockgateError `NOT_CONFIRMED` with what failed
 */
export async function proveGates(policy: Policy, context: ProofContext): Promise<HostConnection> {
  const { prober, route, clientAddress, log } = context;
  const isOwn = prober === route;
  const address = isOwn ? clientAddress : prober.address;
  if (!isOwn) log(`closed and open are tried from ${prober.name}`);
  const sshGate = findGate(policy, context.sshPort);
  const isHeld = address === undefined || !isAllowed(policy, address);
  if (isHeld) await proveClosed(policy, context);
  else {
    const whose = isOwn ? "this machine's address" : `${prober.name}'s address`;
    const reason = `because ${whose} is in allowFrom; set proveFrom to a machine that has to knock`;
    log(`closed: not checked, ${reason}`);
    log(`open: not checked, ${reason}`);
  }
  const closed = await proveOthersClosed(policy, context);
  if (isHeld) {
    for (const gate of policy.gates) {
      // The fresh SSH connection below proves more than an answer of the port.
      await proveOpens(policy, gate, isOwn && gate === sshGate ? ["udp"] : ["tcp", "udp"], context);
    }
  }
  await proveOthersOpen(policy, closed, context);
  return proveSsh(policy, context);
}

async function proveSsh(policy: Policy, context: ProofContext): Promise<HostConnection> {
  const { route, dialMs, sshPort, behind = [], clientAddress, log } = context;
  const gate = findGate(policy, sshPort);
  const mustKnock = gate !== undefined && !isAllowed(policy, clientAddress);
  const before = listBefore(behind, sshPort);
  const knocker = makeKnockerBefore(sshPort, context);
  const own = mustKnock ? makeOwnKnocker(policy, gate, context) : undefined;
  const knocks = mustKnock || before.length > 0;
  let cause: unknown;
  for (let tries = 0; tries < proofTries; tries += 1) {
    const sent = own?.next() ?? [];
    let connection: HostConnection;
    try {
      ({ connection } = await dial(route, [...knocker.next(), ...sent], limitDial(dialMs)));
    } catch (error) {
      cause = error;
      const why = error instanceof KnockgateError ? error.clause : "it failed";
      if (mustKnock || tries + 1 < proofTries)
        log(describeTry(tries, `no fresh SSH connection came through: ${why}`));
      continue;
    }
    log(`open: ${describeSsh(gate, mustKnock, before)}`);
    try {
      if (gate !== undefined && own !== undefined) {
        const asked: ProofContext = { ...context, prober: route };
        await proveSpent(gate, { protocol: "tcp", port: sshPort }, { own, sent }, asked);
      }
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }
  const course = mustKnock ? await traceKnock(policy, gate, { ...context, prober: route }) : undefined;
  throw notConfirmed(
    knocks
      ? `no fresh SSH connection came through after ${proofTries} knocks. ${course ?? "Does a step get lost on the way from here?"}`
      : `no fresh SSH connection came through in ${proofTries} tries`,
    cause,
  );
}

function describeSsh(gate: Gate | undefined, mustKnock: boolean, before: readonly OtherGate[]): string {
  const names = before.map((other) => other.gate).join(", ");
  const others = `gate ${names} of another policy`;
  if (gate === undefined) {
    const which = "no gate of this policy protects SSH";
    return before.length === 0
      ? `a fresh SSH connection comes through; ${which}`
      : `${others} lets a fresh SSH connection through after its knock; ${which}`;
  }
  if (!mustKnock) {
    const whose = "because this machine's address is in allowFrom";
    return before.length === 0
      ? `a fresh SSH connection comes through without a knock, ${whose}`
      : `a fresh SSH connection comes through after the knock of ${others}, and without this policy's, ${whose}`;
  }
  const both = before.length === 0 ? "the knock" : `its knock and that of ${others}`;
  return `gate ${gate.name} lets a fresh SSH connection through after ${both}`;
}
