import { isInPortRange, parsePortRange } from "./port.js";
import { isInPrefix, parsePrefix } from "./prefix.js";
import type { Gate, Policy } from "./schema.js";

/** The gate that a TCP port is behind. */
export function findGate(policy: Policy, tcpPort: number): Gate | undefined {
  return policy.gates.find((gate) => gate.protect.some((entry) => isWithin(tcpPort, entry.tcp)));
}

/** The first TCP port that a gate protects; `undefined` when it protects UDP alone. */
export function firstTcpPort(gate: Gate): number | undefined {
  return gate.protect.flatMap((entry) => parsePortRange(entry.tcp ?? "")?.first ?? [])[0];
}

/** Whether a source is in `allowFrom` and so never needs to knock. */
export function isAllowed(policy: Policy, address: string): boolean {
  return policy.allowFrom.some((text) => {
    const reading = parsePrefix(text);
    return reading.kind === "prefix" && isInPrefix(address, reading.prefix);
  });
}

function isWithin(port: number, text: string | undefined): boolean {
  const range = parsePortRange(text ?? "");
  return range !== undefined && isInPortRange(port, range);
}
