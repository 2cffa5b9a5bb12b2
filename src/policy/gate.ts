import type { Gate, Policy } from "./policy.js";
import { isInPortRange, type Protocol } from "./port.js";
import { isInPrefix, readPrefixes } from "./prefix.js";
import { listProtected, type ProtectedPorts } from "./protect.js";

/** The gate that a TCP port is behind. */
export function findGate({ gates }: Pick<Policy, "gates">, tcpPort: number): Gate | undefined {
  return gates.find((gate) => isProtected(gate, "tcp", tcpPort));
}

export function isProtected(gate: ProtectedPorts, protocol: Protocol, port: number): boolean {
  return listProtected(gate, protocol).some((range) => isInPortRange(port, range));
}

/** The first port of a protocol that a gate protects, if it protects one. */
export function firstPort(gate: Gate, protocol: Protocol): number | undefined {
  return listProtected(gate, protocol)[0]?.first;
}

/** Whether a source is in `allowFrom` and so never needs to knock; `denyFrom` comes first. */
export function isAllowed(policy: Policy, address: string): boolean {
  return isIn(policy.allowFrom, address) && !isDenied(policy, address);
}

/** Whether a source is in `denyFrom`, so that no knock of it counts. */
export function isDenied(policy: Policy, address: string): boolean {
  return isIn(policy.denyFrom, address);
}

/**
 * Addresses that are a machine's on one link only (RFC 4291, 2.5.6; RFC 3927): on another link of the host the same one is
 * somebody else's. So they can't knock: a door would be open to both.
 */
export const linkLocal: readonly string[] = ["169.254.0.0/16", "fe80::/10"];

/** Whether a source's knock never counts, because its address is not its own on all of a host's links. */
export function isLinkLocal(address: string): boolean {
  return isIn(linkLocal, address);
}

function isIn(prefixes: readonly string[], address: string): boolean {
  return readPrefixes(prefixes).some((prefix) => isInPrefix(address, prefix));
}
