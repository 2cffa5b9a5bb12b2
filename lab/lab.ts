import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeSemaphore } from "../src/ssh/semaphore";
import type { RootfsKind } from "../tools/setup/rootfs-place.mjs";
import { type BootedHost, bootHost, makeBootable } from "./booted-host";
import { runCommand } from "./command";
import { makeDirectory, removeDirectory } from "./directory";
import { bootEmulated, hasKernel } from "./emulated-host";
import { type LabHost, makeHost, placeHost } from "./host";
import { type Addresses, type LabClient, placeMachine } from "./machine";
import { makeNamespaces, type Namespaces } from "./namespaces";
import { type Swallowed, type Swallowing, swallow } from "./swallow";
import { requireTools } from "./tools";
import { requirePrivateNetwork, type Wiring, wire } from "./wiring";

export interface LabOptions {
  readonly hosts: number;
  /** Hosts that boot a whole Debian. Default 0. */
  readonly bootedHosts?: number;
  /** The init that they boot with. Default "systemd"; "openrc" is set up only for KNOCKGATE_DEEP=1. */
  readonly bootedInit?: RootfsKind;
  /** Whether they may run containers of their own. Default false. */
  readonly bootedNests?: boolean;
  /** The number of clients. Default 0. */
  readonly clients?: number;
  /** The program behind /bin/sh on the hosts. Default "dash". */
  readonly shell?: "dash" | "busybox";
  /** Another Debian, whose files the hosts run, with its own /bin/sh. Default: this machine's files. */
  readonly suite?: RootfsKind;
  /** Default 22. */
  readonly sshPort?: number;
}

export interface Lab {
  /** host1, host2, ... */
  readonly hosts: readonly LabHost[];
  /** booted1, booted2, ... */
  readonly bootedHosts: readonly BootedHost[];
  /** client1, client2, ... */
  readonly clients: readonly LabClient[];
  /** The machine this process lives in, as the lab's hosts see it. */
  readonly outside: Addresses;
  /** Text of an OpenSSH private key that root, ops and plain accept on each host. */
  readonly privateKey: string;
  /** A folder (0700) that is removed with the lab. */
  readonly directory: string;
  /** Lets the router drop packets to a host silently, until restored. */
  swallow(what: Swallowed): Promise<Swallowing>;
  /** Ends all machines and their processes. A second call does no harm. */
  close(): Promise<void>;
}

/** Makes hosts and clients out of namespaces, with a router between them and this process; root only. */
export async function openLab(options: LabOptions): Promise<Lab> {
  const { hosts: hostCount, clients: clientCount = 0, shell = "dash", sshPort = 22 } = options;
  const { bootedInit: init = "systemd", bootedNests: nests = false } = options;
  const bootedNames = numbered("booted", options.bootedHosts ?? 0);
  requirePrivateNetwork();
  requireTools();
  const directory = makeDirectory();
  const made: Promise<Namespaces>[] = [];
  let wiring: Wiring | undefined;
  const make = (machine: Promise<Namespaces>) => {
    made.push(machine);
    machine.catch(() => undefined); // thrown where it is awaited, possibly later
    return machine;
  };
  const closeAll = async () => {
    await wiring?.unwire();
    await Promise.all((await settled(made)).map((machine) => machine.end()));
    removeDirectory(directory);
  };
  try {
    const routing = make(makeNamespaces("router", ["router-setup.sh", directory]));
    const clientsMade = numbered("client", clientCount).map((name) => make(makeNamespaces(name)));
    const key = await makeKey(directory);
    const hostsMade = numbered("host", hostCount).map((name) => {
      return make(
        takeTurn(() => makeHost(name, { sshPort, shell, suite: options.suite, publicKey: key.publicKey })),
      );
    });
    const [router, ...machines] = await Promise.all([routing, ...hostsMade, ...clientsMade]);
    wiring = await wire(router, machines, bootedNames.length);
    const bootedHosts = Promise.all(
      pair(bootedNames, wiring.sockets).map(async ([name, socket]) => {
        const machine = make(makeBootable(name, socket, { init, sshPort, publicKey: key.publicKey }));
        if (hasKernel(init)) return bootEmulated(await machine, socket, { sshPort, directory });
        return bootHost(await machine, socket, { init, sshPort, nests });
      }),
    );
    bootedHosts.catch(() => undefined); // thrown where it is awaited
    const placed = pair(machines, wiring.addresses);
    const hosts = await Promise.all(
      placed.slice(0, hostCount).map(([machine, addresses]) => placeHost(machine, addresses, sshPort)),
    );
    const clients = placed.slice(hostCount).map(([machine, addresses]) => placeMachine(machine, addresses));
    let closing: Promise<void> | undefined;
    return {
      hosts,
      bootedHosts: await bootedHosts,
      clients,
      outside: wiring.outside,
      privateKey: key.privateKey,
      directory,
      swallow: (what) => swallow(router, what),
      close: () => {
        closing ??= closeAll();
        return closing;
      },
    };
  } catch (cause) {
    await closeAll();
    throw cause;
  }
}

/** Hundreds of starts at once would slow each other down until all of them time out. */
const turns = makeSemaphore(16);

async function takeTurn<T>(act: () => Promise<T>): Promise<T> {
  const end = await turns.acquire();
  try {
    return await act();
  } finally {
    end();
  }
}

function numbered(word: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${word}${index + 1}`);
}

async function makeKey(directory: string): Promise<{ privateKey: string; publicKey: string }> {
  const file = join(directory, "id_ed25519");
  await runCommand(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "knockgate-lab", "-f", file]);
  const [privateKey, publicKey] = await Promise.all([
    readFile(file, "utf8"),
    readFile(`${file}.pub`, "utf8"),
  ]);
  return { privateKey, publicKey: publicKey.trim() };
}

function pair<A, B>(left: readonly A[], right: readonly B[]): [A, B][] {
  return left.flatMap((first, index) => {
    const second = right[index];
    return second === undefined ? [] : [[first, second] satisfies [A, B]];
  });
}

async function settled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}
