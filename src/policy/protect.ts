import type { Gate } from "./policy.js";
import { type PortRange, type Protocol, parsePortRange, protocols } from "./port.js";

/** The part of a gate that says which ports it protects. */
export type ProtectedPorts = Pick<Gate, "protect">;

/** Ports of one protocol that a gate protects. */
export interface ProtectedRange {
  readonly protocol: Protocol;
  readonly range: PortRange;
}

/** Lists the ranges of one protocol that a gate protects, as the policy has them. */
export function listProtected(gate: ProtectedPorts, protocol: Protocol): readonly PortRange[] {
  return gate.protect
    .flatMap(readProtect)
    .flatMap((entry) => (entry.protocol === protocol ? [entry.range] : []));
}

/** Reads an entry of `protect`. It names the ports of one protocol. */
export function readProtect(entry: Gate["protect"][number]): readonly ProtectedRange[] {
  return protocols.flatMap((protocol) => {
    const range = parsePortRange(entry[protocol] ?? "");
    return range === undefined ? [] : [{ protocol, range }];
  });
}
