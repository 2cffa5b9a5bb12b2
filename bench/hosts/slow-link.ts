import { join } from "node:path";
import { runCommand, startCommand } from "../../lab/command";
import type { LabHost } from "../../lab/host";
import { openDialogue } from "./dialogue";

/** A slow way from here to a host that counts all packets on it. */
export interface SlowLink {
  /** The host's address at its other end. */
  readonly address: string;
  /** Returns what passed since the last call, or since the link was made. */
  count(): Promise<Traffic>;
  /** Takes the link away: no lab is opened beside one. */
  close(): Promise<void>;
}

/** What passed over IPv4; bytes with the IP header. */
interface Traffic {
  readonly packetsSent: number;
  readonly bytesSent: number;
  readonly packetsReceived: number;
  readonly bytesReceived: number;
  /** TCP connections that the host accepted. */
  readonly connections: number;
  /** How often a packet with content (more than an acknowledgement) left for the host after one had come from it. */
  readonly turns: number;
}

/**
 * Connects a host to this process's network by a link of its own, on which each packet takes half of `roundTripMs`.
 * Linux has netem for that, but some kernels are built without it.
 */
export async function openSlowLink(host: LabHost, number: number, roundTripMs: number): Promise<SlowLink> {
  const [near, far] = [`slow${number}`, `far${number}`];
  const carrier = ["perl", join(__dirname, "slow-link.pl"), near, far, `${roundTripMs / 2}`];
  const { ask, close } = await openDialogue(startCommand(carrier));
  const network = `172.30.${number}`;
  await runCommand(["ip", "link", "set", far, "netns", `${host.pid}`]);
  await runCommand(["ip", "-batch", "-"], { stdin: attach(near, `${network}.1`) });
  await host.run(["ip", "-batch", "-"], { stdin: attach(far, `${network}.2`) });
  return {
    address: `${network}.2`,
    count: async () => {
      const [packetsSent, bytesSent, packetsReceived, bytesReceived, connections, turns] = (await ask(""))
        .split(" ")
        .map(Number) as [number, number, number, number, number, number];
      return { packetsSent, bytesSent, packetsReceived, bytesReceived, connections, turns };
    },
    close,
  };
}

function attach(link: string, address: string): string {
  return `addr add ${address}/24 dev ${link}\nlink set ${link} up\n`;
}
