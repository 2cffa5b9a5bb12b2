import type { Route } from "../transport/host.js";

const waitMs = 2_000;

/** Ports that are often open; whatever a port's answer, a machine gave it. The last one hardly any host has open. */
const usualPorts = [22, 80, 443, 61_803];

/** What answered at a host's addresses, and how, in words; `undefined`: nothing did. */
export interface Look {
  readonly answer: string | undefined;
}

/**
 * Looks whether anything answers at a host's addresses at all: the SSH port, other ports, and an echo request. Silence
 * proves nothing: a firewall drops all of these, too.
 */
export async function lookForLife(routes: readonly Route[], sshPort: number): Promise<Look> {
  const ports = [...new Set([sshPort, ...usualPorts])];
  const asked = routes.flatMap((route) => [
    ...ports.map(async (port) => {
      const answer = await route.probePort(port, waitMs);
      return answer === "silent" ? undefined : `${route.name}: TCP port ${port} is ${answer}`;
    }),
    route.ping?.(waitMs).then((isThere) => (isThere ? `${route.name}: it answers a ping` : undefined)),
  ]);
  const answers = await Promise.all(asked.map((one) => one?.catch(() => undefined)));
  return { answer: answers.find((answer) => answer !== undefined) };
}
