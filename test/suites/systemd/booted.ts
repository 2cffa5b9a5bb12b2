import { test as base } from "vitest";
import type { BootedHost } from "../../../lab/booted-host";
import { type Lab, openLab } from "../../../lab/lab";
import { type Sender, tryConnect } from "../../../lab/packets";
import { changeHost } from "../../../src/change/change";
import type { Policy } from "../../../src/policy/policy";
import type { RootfsKind } from "../../../tools/setup/rootfs-place.mjs";
import { deployTo } from "../host/deployment";
import { listGate } from "../host/inspection";
import { oldPolicy } from "../host/policies";

/** Whether this run has the time that all of these tests need. */
export const isDeep = process.env["KNOCKGATE_DEEP"] === "1";

/**
 * A test that has a lab of its own with one booted host. The kernel limits the inotify instances of all hosts that boot
 * at the same time (inotify(7): max_user_instances); one host needs 8 to 15.
 */
export function withBooted(bootedInit: RootfsKind) {
  return base.extend<{ lab: Lab }>({
    lab: async ({ onTestFinished }, use) => {
      const lab = await openLab({ hosts: 0, clients: 1, bootedHosts: 1, bootedInit });
      onTestFinished(() => lab.close());
      await use(lab);
    },
  });
}

export const test = withBooted("systemd");
export const testOpenrc = withBooted("openrc");

/** The lab's one booted host. */
export function findBooted(lab: Lab): BootedHost {
  const [host] = lab.bootedHosts;
  if (host === undefined) throw new Error("the lab has no booted host");
  return host;
}

/** Confirms a policy on the lab's booted host. Returns the kernel's listing of it. */
export async function gateBooted(lab: Lab, policy: Policy = oldPolicy): Promise<[BootedHost, string]> {
  const host = findBooted(lab);
  await changeHost({ policy, owner: "me", undoAfterSeconds: 60 }, await deployTo(lab, host));
  return [host, await listGate(host)];
}

export interface Watch {
  /** How often each answer was seen: open, refused, silent, or unreachable if the network in between said so. */
  stop(): Promise<Readonly<Record<string, number>>>;
}

/** Connects to a host's SSH port again and again, without a knock, over IPv4 and IPv6 in turn. */
export function watchSsh(from: Sender, host: BootedHost): Watch {
  const pauseMs = 20;
  const seen: Record<string, number> = {};
  const attempts: Promise<void>[] = [];
  const attempt = async (address: string) => {
    const answer = await tryConnect(from, address, host.sshPort, 500).catch((error: Error) => {
      if (/EHOSTUNREACH|ENETUNREACH/.test(error.message)) return "unreachable";
      throw error;
    });
    seen[answer] = (seen[answer] ?? 0) + 1;
  };
  const timer = setInterval(() => {
    attempts.push(attempt(attempts.length % 2 === 0 ? host.ipv4 : host.ipv6));
  }, pauseMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(attempts);
      return seen;
    },
  };
}

/** Adds settings to a unit (systemd.unit(5), drop-ins). They hold from the next boot on. */
export async function dropIn(host: BootedHost, unit: string, text: string): Promise<void> {
  const folder = `/etc/systemd/system/${unit}.d`;
  await host.run(["sh", "-c", `mkdir -p ${folder} && cat >${folder}/test.conf`], { stdin: text });
}
