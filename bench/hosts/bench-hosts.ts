import { join } from "node:path";
import { runCommand } from "../../lab/command";
import type { LabHost } from "../../lab/host";
import { openLab } from "../../lab/lab";
import type { LabMachine } from "../../lab/machine";
import { startBeside } from "../../lab/start-beside";
import { waitForLine } from "./wait-for-line";

/** The server behind a gate: it ends each connection at once, so that a connection costs no more than that. */
export const doorPort = 2_222;

export interface BenchHosts {
  readonly client: LabMachine;
  readonly hosts: readonly BenchHost[];
  close(): Promise<void>;
}

/** A host with its own direct link to the client. */
export interface BenchHost {
  readonly machine: LabHost;
  /** Its address on that link, called `direct` at both ends. */
  readonly address: string;
  /**
   * Returns an address of the client that it has not used towards this host before, so that no door is open for it yet.
   * It is of another /24 than the last ones, so that no limit for a network holds it back.
   */
  takeSource(): string;
}

/** Makes hosts, each with a server behind its door, and one client. */
export async function openBenchHosts(count: number): Promise<BenchHosts> {
  const lab = await openLab({ hosts: count, clients: 1 });
  try {
    const [client] = lab.clients;
    if (client === undefined) throw new Error("the lab has no client");
    const hosts: BenchHost[] = [];
    for (const [index, machine] of lab.hosts.entries()) {
      const address = await link(client, machine, index + 1);
      await waitForLine(
        startBeside(machine, ["perl", join(__dirname, "door.pl"), `${doorPort}`]),
        /^ready$/m,
      );
      let taken = 0;
      const takeSource = () => {
        taken += 1;
        return `10.${100 + index}.${taken & 255}.${1 + (taken >> 8)}`;
      };
      hosts.push({ machine, address, takeSource });
    }
    return { client, hosts, close: () => lab.close() };
  } catch (cause) {
    await lab.close();
    throw cause;
  }
}

/** A whole network of the client's is local to it (ip-route(8), type local): any of its addresses can be a source. */
async function link(client: LabMachine, host: LabMachine, number: number): Promise<string> {
  const near = `direct${number}`;
  const argv = `ip link add ${near} index ${2_000 + number} netns ${client.pid} type veth peer direct netns ${host.pid}`;
  await runCommand(argv.split(" "));
  const network = `10.${99 + number}.0.0/16`;
  await batch(client, [
    `addr add 172.31.${number}.1/24 dev ${near}`,
    `link set ${near} up`,
    `route add local ${network} dev lo`,
  ]);
  await batch(host, [
    `addr add 172.31.${number}.2/24 dev direct`,
    "link set direct up",
    `route add ${network} via 172.31.${number}.1`,
  ]);
  return `172.31.${number}.2`;
}

async function batch(machine: LabMachine, lines: readonly string[]): Promise<void> {
  await machine.run(["ip", "-batch", "-"], { stdin: `${lines.join("\n")}\n` });
}
