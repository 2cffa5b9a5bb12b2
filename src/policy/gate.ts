import type { Gate, Policy } from "./policy.js";
import { isInPortRange, type Protocol } from "./port.js";
import { isInAny } from "./prefix.js";
import { listProtected, type ProtectedPorts } from "./protect.js";

/** Finds the gate that protects a TCP port. */
export function findGate({ gates }: Pick<Policy, "gates">, tcpPort: number): Gate | undefined {
  return gates.find((gate) => isProtected(gate, "tcp", tcpPort));
}

export function isProtected(gate: ProtectedPorts, protocol: Protocol, port: number): boolean {
  return listProtected(gate, protocol).some((range) => isInPortRange(port, range));
}

/** The first port of a protocol that a gate protects. `undefined`: it protects none. */
export function firstPort(gate: Gate, protocol: Protocol): number | undefined {
  return listProtected(gate, protocol)[0]?.first;
}

/** Whether a source is in `allowFrom`, so it never needs to knock. `denyFrom` takes precedence. */
export function isAllowed(policy: Policy, address: string): boolean {
  return isInAny(address, policy.allowFrom) && !isDenied(policy, address);
}

/** Whether a source is in `denyFrom`, so none of its knocks count. */
export function isDenied(policy: Policy, address: string): boolean {
  return isInAny(address, policy.denyFrom);
}

/**
 * Link-local prefixes (RFC 4291, 2.5.6; RFC 3927). Such an address is a machine's on one link only. On another link of
 * the host, the same address belongs to somebody else. So these addresses can't knock: a door would be open to both.
 */
export const linkLocal: readonly string[] = ["169.254.0.0/16", "fe80::/10"];

/** Whether no knock of a source counts, because its address does not belong to it on all of a host's links. */
export function isLinkLocal(address: string): boolean {
  return isInAny(address, linkLocal);
}
