import { type ClientKnock, readClientKnock } from "../knock/clients/client-knock.js";
import type { ProfileGate } from "../knock/clients/profile.js";
import { isProtected } from "../policy/gate.js";
import type { Policy } from "../policy/policy.js";
import type { ProtectedPorts } from "../policy/protect.js";
import { findKnock } from "./knocker.js";

/** A gate of another policy on the same host. Only its knock is used. Secret. */
export interface OtherGate extends ProtectedPorts {
  readonly gate: string;
  readonly knock: ClientKnock;
}

/**
 * Lists the gates of a whole policy, which is another one on the host.
 *
 * @param host the host's name for tokens
 */
export function listOtherGates(policy: Policy, host: string): readonly OtherGate[] {
  return policy.gates.map((gate) => {
    return { gate: gate.name, protect: gate.protect, knock: findKnock(policy, gate, host) };
  });
}

/** Reads a gate from a profile. */
export function readOtherGate(given: ProfileGate): OtherGate {
  return { gate: given.gate, protect: given.protect, knock: readClientKnock(given) };
}

/**
 * Lists the other policies' gates that protect a TCP port. Each of them has to be opened, whatever else protects the
 * port.
 */
export function listBefore(others: readonly OtherGate[], tcpPort: number): readonly OtherGate[] {
  return others.filter((other) => isProtected(other, "tcp", tcpPort));
}

/** Lists the knocks that open those gates. */
export function listKnocksBefore(others: readonly OtherGate[], tcpPort: number): readonly ClientKnock[] {
  return listBefore(others, tcpPort).map(({ knock }) => knock);
}
