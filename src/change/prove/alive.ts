import type { Route } from "../../ssh/host.js";

const waitMs = 2_000;

/**
 * Ports that are often open. Any answer, also a refusal, comes from a machine. Hardly any host listens on the last
 * port.
 */
const usualPorts = [22, 80, 443, 61_803];

/** The first answer from a host's addresses, in words; `undefined` when none came. */
export interface LifeSign {
  readonly answer: string | undefined;
}

/**
 * Checks whether anything answers at a host's addresses: the SSH port, other ports, or an echo request. Silence proves
 * nothing: a firewall may drop all of these.
 */
export async function lookForLife(routes: readonly Route[], sshPort: number): Promise<LifeSign> {
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
