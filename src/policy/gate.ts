import { isInPortRange, parsePortRange } from "./port.js";
import { isInPrefix, parsePrefix } from "./prefix.js";
import type { Gate, Policy } from "./schema.js";

/** The gate that a TCP port is behind. */
export function findGate(policy: Policy, tcpPort: number): Gate | undefined {
  return policy.gates.find((gate) => isProtected(gate, "tcp", tcpPort));
}

export function isProtected(gate: Gate, protocol: "tcp" | "udp", port: number): boolean {
  return gate.protect.some((entry) => {
    const range = parsePortRange(entry[protocol] ?? "");
    return range !== undefined && isInPortRange(port, range);
  });
}

/** The first TCP port that a gate protects; `undefined` when it protects UDP alone. */
export function firstTcpPort(gate: Gate): number | undefined {
  return gate.protect.flatMap((entry) => parsePortRange(entry.tcp ?? "")?.first ?? [])[0];
}

/** Whether a source is in `allowFrom` and so never needs to knock; `denyFrom` comes first. */
export function isAllowed(policy: Policy, address: string): boolean {
  return isIn(policy.allowFrom, address) && !isDenied(policy, address);
}

/** Whether a source is in `denyFrom`, so that no knock of it counts. */
export function isDenied(policy: Policy, address: string): boolean {
  return isIn(policy.denyFrom, address);
}

function isIn(prefixes: readonly string[], address: string): boolean {
  return prefixes.some((text) => {
    const reading = parsePrefix(text);
    return reading.kind === "prefix" && isInPrefix(address, reading.prefix);
  });
}
