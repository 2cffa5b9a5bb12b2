import { cpus, totalmem } from "node:os";
import type { LabHost } from "../../lab/host";
import { openLab } from "../../lab/lab";
import type { Login } from "./login";
import { lastPort, type TargetHost } from "./subjects";

/** A host that was broken on purpose. */
export interface BrokenHost {
  readonly name: string;
  readonly fault: string;
}

export interface Targets {
  readonly hosts: readonly TargetHost[];
  readonly facts: Readonly<Record<string, unknown>>;
  /** Breaks the first hosts of a fleet's second wave, each in another way. Returns which and how. */
  breakHosts(count: number): Promise<readonly BrokenHost[]>;
  close(): Promise<void>;
}

/** Hosts that exist only in the fake transport. */
export function nameFakes(count: number, hostKey: string): Targets {
  const hosts = numbered(count).map((name) => ({ name, address: `${name}.test`, hostKey }));
  return {
    hosts,
    facts: describeMachine(),
    breakHosts: async () => {
      throw new Error("--broken needs --lab");
    },
    close: async () => undefined,
  };
}

/** Hosts made of namespaces, each with a real sshd and nft. */
export async function openLabTargets(count: number, { publicKey }: Login): Promise<Targets> {
  const startedMs = performance.now();
  const lab = await openLab({ hosts: count });
  const labSeconds = (performance.now() - startedMs) / 1_000;
  for (const host of lab.hosts) {
    await host.run(["sh", "-c", "cat >>/etc/ssh/authorized_keys"], { stdin: publicKey });
  }
  const hosts = lab.hosts.map(({ name, ipv4, hostKey }) => ({ name, address: ipv4, hostKey }));
  const faults: readonly ((host: LabHost, index: number) => Promise<string>)[] = [
    async (host) => {
      await lab.swallow({ to: host, protocol: "tcp", port: lastPort });
      return "the router swallows the knock's third step";
    },
    async (host) => {
      await host.run(["mount", "-o", "remount,ro", "/var/lib"]);
      return "/var/lib is read-only";
    },
    async (_host, index) => {
      const [other] = lab.hosts;
      const target = hosts[index];
      if (target !== undefined && other !== undefined) target.hostKey = other.hostKey;
      return "its host key is not the one that is expected";
    },
  ];
  return {
    hosts,
    facts: { ...describeMachine(), labSeconds },
    breakHosts: (broken) =>
      Promise.all(
        lab.hosts.slice(1, 1 + broken).map(async (host, index) => {
          const fault = await faults[index % faults.length]?.(host, index + 1);
          return { name: host.name, fault: fault ?? "" };
        }),
      ),
    close: () => lab.close(),
  };
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `host${index + 1}`);
}

function describeMachine(): Readonly<Record<string, unknown>> {
  return {
    node: process.version,
    processors: cpus().length,
    processor: cpus()[0]?.model,
    memoryMegabytes: Math.round(totalmem() / 1_048_576),
  };
}
