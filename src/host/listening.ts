import { stepsOf } from "../policy/knock.js";
import type { Policy } from "../policy/policy.js";
import { portOf, stepProtocols } from "../policy/step.js";

/** A step whose packet a service on the host would receive, too. */
export interface ServedStep {
  readonly gate: string;
  readonly position: number;
}

/**
 * Finds steps on ports where something listens.
 *
 * @param sockets output of `ss -Hltun` (ss(8)): protocol, state, two queues, and the local address with the port behind
 *   its last colon. Without ss: /proc/net/tcp, tcp6, udp and udp6 one after another (proc(5)), each below a line `tcp`
 *   or `udp`. There, address and port are hexadecimal, and a listening TCP socket has state 0A
 */
export function findServedSteps(sockets: string, policy: Policy): readonly ServedStep[] {
  const listening = readListening(sockets);
  return policy.gates.flatMap((gate) =>
    stepsOf(gate).flatMap((step, index) => {
      const port = portOf(step);
      const isServed = port !== undefined && listening.has(`${stepProtocols[step.kind]} ${port}`);
      return isServed ? [{ gate: gate.name, position: index + 1 }] : [];
    }),
  );
}

function readListening(sockets: string): ReadonlySet<string> {
  const found = new Set<string>();
  let protocol = "";
  for (const line of sockets.split("\n")) {
    if (line === "tcp" || line === "udp") protocol = line;
    const [, by, decimal] = /^(tcp|udp) +\S+ +\d+ +\d+ +\S*:(\d+)\s/.exec(line) ?? [];
    if (decimal !== undefined) found.add(`${by} ${decimal}`);
    const [, local = "", , state] = line.trim().split(/\s+/);
    const port = Number.parseInt(local.split(":")[1] ?? "", 16);
    if (!Number.isNaN(port) && (protocol === "udp" || state === "0A")) found.add(`${protocol} ${port}`);
  }
  return found;
}
