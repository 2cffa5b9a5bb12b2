import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { findRootfs, type RootfsKind } from "../tools/setup/rootfs-place.mjs";
import { type Addresses, type LabMachine, placeMachine } from "./machine";
import { makeNamespaces, type Namespaces } from "./namespaces";
import { withoutCounts } from "./nft-listing";

const sshdLimitMs = 5_000;

/** A machine with its own files and a real sshd. The lab's key lets in root, ops (may use sudo) and plain. */
export interface LabHost extends LabMachine {
  readonly sshPort: number;
  /** "ssh-ed25519 AAAA..." */
  readonly hostKey: string;
  ruleset(): Promise<string>;
  sshdLog(): string;
}

export interface HostOptions {
  readonly sshPort: number;
  readonly shell: "dash" | "busybox";
  /** The Debian whose files it runs; default: this machine's. */
  readonly suite?: RootfsKind | undefined;
  /** The client's public key, one line. */
  readonly publicKey: string;
}

export function makeHost(name: string, options: HostOptions): Promise<Namespaces> {
  const { sshPort, shell, publicKey, suite } = options;
  return suite === undefined
    ? makeNamespaces(name, ["host-setup.sh", String(sshPort), shell, publicKey])
    : makeNamespaces(name, ["suite-setup.sh", findRootfs(suite), String(sshPort), publicKey]);
}

/** Resolves when its sshd answers on both addresses. */
export async function placeHost(
  namespaces: Namespaces,
  addresses: Addresses,
  sshPort: number,
): Promise<LabHost> {
  const machine = placeMachine(namespaces, addresses);
  await Promise.all(
    [addresses.ipv4, addresses.ipv6].map((address) => waitForSshd(namespaces, address, sshPort)),
  );
  return {
    ...machine,
    sshPort,
    hostKey: namespaces.told,
    ruleset: async () => withoutCounts((await machine.run(["nft", "list", "ruleset"])).stdout),
    sshdLog: () => namespaces.log(),
  };
}

async function waitForSshd(host: Namespaces, address: string, port: number): Promise<void> {
  const until = Date.now() + sshdLimitMs;
  while (!(await answersAsSshd(address, port))) {
    if (Date.now() > until) {
      const where = `${address} port ${port} within ${sshdLimitMs} ms`;
      throw new Error(`lab: sshd of ${host.name} did not answer on ${where}: ${host.log().trim()}`);
    }
    await sleep(5);
  }
}

function answersAsSshd(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: 1_000 });
    const settle = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("data", (banner) => settle(banner.toString("latin1").startsWith("SSH-")));
    socket.once("error", () => settle(false));
    socket.once("close", () => settle(false));
    socket.once("timeout", () => settle(false));
  });
}
