import type { Counts } from "../policy/counts.js";
import type { Policy } from "../policy/policy.js";
import type { Backend, HostBackend } from "./backend.js";
import { iptables } from "./iptables/iptables.js";
import { nftables } from "./nftables/nftables.js";

/** Each backend that a policy can name. */
export const backends: Readonly<Record<Policy["backend"], Backend>> = { nftables, iptables };

export function backendOf({ backend }: Pick<Policy, "backend">): Backend {
  return backends[backend];
}

/** Names a policy's backend as the host script does. */
export function nameOnHost(policy: Pick<Policy, "backend" | "scope">): HostBackend {
  return backendOf(policy).nameOnHost(policy.scope);
}

/** Reads a policy's counters from the host script's answer. Returns `undefined` when the text is something else. */
export function readCounts(text: string, policy: Policy): Counts | undefined {
  const read = backendOf(policy).readCounts(text, policy);
  return read && new Map(policy.gates.map((gate) => [gate.name, read(gate)]));
}
