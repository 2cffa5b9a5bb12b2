import { firstPort } from "../policy/gate.js";
import type { Policy } from "../policy/policy.js";
import type { Observed } from "./observed.js";

/**
 * Warns of a host that answers every SYN with a cookie (net.ipv4.tcp_syncookies=2, kernel networking/ip-sysctl). Such a
 * handshake ends with an ACK that conntrack may no longer know. Only a stealthy gate looks at this ACK.
 */
export function listLateHandshakes({ synCookies }: Observed, policy: Policy): readonly string[] {
  if (synCookies !== "2" || policy.stealth) return [];
  if (policy.gates.every((gate) => firstPort(gate, "tcp") === undefined)) return [];
  return [
    "net.ipv4.tcp_syncookies is 2 on this host: a source can end a handshake up to 2 minutes after its door closed. Set it to 1, or set stealth to true",
  ];
}
