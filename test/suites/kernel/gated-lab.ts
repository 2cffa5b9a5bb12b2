import { once } from "node:events";
import { join } from "node:path";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import type { LabClient } from "../../../lab/machine";
import { type Sender, tryConnect } from "../../../lab/packets";
import { letParentEnd } from "../../../lab/parent";
import { startBeside } from "../../../lab/start-beside";
import { planLoad } from "../../../src/backends/load";
import type { PolicyInput } from "../../../src/policy/policy";
import { readPolicy } from "../../unit/policy/read-policy";

export const families = ["ipv4", "ipv6"] as const;
export type Family = (typeof families)[number];
export type GateInput = PolicyInput["gates"][number];

/** Echo servers on each host: behind the gate, and on ports without a gate. */
export const doorPort = 4_022;
export const doorUdpPort = 4_053;
export const openPort = 4_080;
export const openUdpPort = 4_081;

/** A closed door does not answer a SYN. This time is long enough to tell silence from an answer. */
export const silenceMs = 200;
const answerLimitMs = 3_000;

/** Hosts, of which each case gets one, and two clients. */
export interface GatedLab {
  readonly lab: Lab;
  readonly knocker: LabClient;
  readonly other: LabClient;
  /** Waits for a host that no other case uses. */
  withHost(use: (host: LabHost) => Promise<void>): Promise<void>;
  /** Takes a host away from all later cases. */
  keepHost(): LabHost;
  close(): Promise<void>;
}

export async function openGatedLab(hostCount: number): Promise<GatedLab> {
  const lab = await openLab({ hosts: hostCount, clients: 2 });
  const [knocker, other] = lab.clients;
  if (knocker === undefined || other === undefined) throw new Error("expected two clients");
  await Promise.all(lab.hosts.map(startServers));
  const idle = [...lab.hosts];
  const waiting: ((host: LabHost) => void)[] = [];
  return {
    lab,
    knocker,
    other,
    withHost: async (use) => {
      const host = idle.pop() ?? (await new Promise<LabHost>((resolve) => waiting.push(resolve)));
      try {
        await use(host);
      } finally {
        const next = waiting.shift();
        if (next === undefined) idle.push(host);
        else next(host);
      }
    },
    keepHost: () => {
      const host = idle.pop();
      if (host === undefined) throw new Error("no host is idle");
      return host;
    },
    close: () => lab.close(),
  };
}

/** A gate before the TCP door. Fields that a test does not name have their defaults. */
export function gateBefore(
  steps: GateInput["knock"]["steps"],
  more: Partial<GateInput["knock"]> = {},
): GateInput {
  return { name: "ssh", protect: [{ tcp: `${doorPort}` }], knock: { steps, ...more } };
}

export function policyOf(gates: readonly GateInput[], allowFrom: readonly string[] = []): PolicyInput {
  return { name: "edge", gates: [...gates], allowFrom: [...allowFrom] };
}

/** Replaces all that the host had of the policy: every door is closed, and no progress is kept. */
export async function loadPolicy(host: LabHost, policy: PolicyInput): Promise<void> {
  await runNft(host, planLoad(readPolicy(policy), undefined, "127.0.0.1").text);
}

export async function runNft(host: LabHost, commands: string): Promise<void> {
  await host.run(["nft", "-f", "-"], { stdin: commands });
}

/** Tells whether a new TCP connection gets through the firewall: `closed` is silence, anything else is an answer. */
export async function lookAt(from: Sender, address: string, port: number): Promise<"open" | "closed"> {
  return (await tryConnect(from, address, port, silenceMs)) === "silent" ? "closed" : "open";
}

/** The same for an expected connection: waits longer, for a slow machine. */
export async function waitForOpen(from: Sender, address: string, port: number): Promise<"open" | "closed"> {
  return (await tryConnect(from, address, port, answerLimitMs)) === "silent" ? "closed" : "open";
}

/**
 * Runs in the host's network, and in its pid namespace to end with it, but with the outside's files, among them node.
 */
async function startServers(host: LabHost): Promise<void> {
  const ports = [`tcp:${doorPort}`, `udp:${doorUdpPort}`, `tcp:${openPort}`, `udp:${openUdpPort}`];
  const child = startBeside(host, [process.execPath, join(__dirname, "echo-server.mjs"), ...ports]);
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  const ended = once(child, "exit").then(() => {
    throw new Error(`the servers of ${host.name} did not start: ${complaints.trim()}`);
  });
  await Promise.race([once(child.stdout, "data"), ended]);
  ended.catch(() => undefined); // later the servers end with the host
  letParentEnd(child);
}
