import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LabHost } from "../../../lab/host";
import type { LabMachine } from "../../../lab/machine";
import { planLoad } from "../../../src/backends/load";
import { lintPolicy } from "../../../src/lint/lint";
import type { PolicyInput } from "../../../src/policy/policy";
import { readPolicy } from "../../unit/policy/read-policy";

export const backends = ["nftables", "iptables"] as const;
type Backend = (typeof backends)[number];

type GateInput = PolicyInput["gates"][number];
export type Steps = NonNullable<GateInput["knock"]["steps"]>;

/** One gate, `ssh`, before the host's sshd. By default, first steps have no limit. */
export function gateSsh(
  backend: Backend,
  knock: GateInput["knock"],
  limits: PolicyInput["limits"] = { firstStepsPerSecond: 0 },
): PolicyInput {
  return { name: "edge", backend, gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock }], limits };
}

export function tcp(...ports: readonly number[]): Steps {
  return ports.map((port) => ({ tcp: port }));
}

/** The linter's rules that refuse a policy's sequence. */
export function listRefusals(policy: PolicyInput): readonly string[] {
  return lintPolicy(readPolicy(policy))
    .filter(({ severity }) => severity === "error")
    .map(({ rule }) => rule);
}

/** The linter's rules that find something in a policy, without the rule that each iptables policy breaks. */
export function listObjections(policy: PolicyInput): readonly string[] {
  const rules = lintPolicy(readPolicy(policy)).map(({ rule }) => rule);
  return rules.filter((rule) => rule !== "iptables-few-sources");
}

/** Replaces all that the host had of the policy, on either backend. */
export async function loadPolicy(host: LabHost, policy: PolicyInput): Promise<void> {
  const { text } = planLoad(readPolicy(policy), undefined, "127.0.0.1");
  await removePolicy(host);
  if (policy.backend !== "iptables") {
    await host.run(["nft", "-f", "-"], { stdin: text });
    return;
  }
  const [ipv4 = "", ipv6 = ""] = text.split(/^# ipv6$/m);
  await host.run(["iptables-restore", "--noflush"], { stdin: ipv4 });
  await host.run(["ip6tables-restore", "--noflush"], { stdin: ipv6 });
}

async function removePolicy(host: LabHost): Promise<void> {
  const commands = "add table inet knockgate_edge\ndelete table inet knockgate_edge\n";
  await host.run(["nft", "-f", "-"], { stdin: commands });
  for (const tool of ["iptables", "ip6tables"]) await host.run([tool, "-F"]);
  for (const tool of ["iptables", "ip6tables"]) await host.run([tool, "-X"]);
}

/** How many times the gate was opened since its policy was loaded, over IPv4, as the host's own kernel counts it. */
export async function countOpenings(host: LabHost, { backend }: PolicyInput): Promise<number> {
  if (backend !== "iptables") {
    const counter = ["nft", "-j", "list", "counter", "inet", "knockgate_edge", "ssh_opened"];
    const { stdout } = await host.run(counter);
    const listing: { nftables: { counter?: { name: string; packets: number } }[] } = JSON.parse(stdout);
    return found(listing.nftables.find(({ counter }) => counter?.name === "ssh_opened")?.counter?.packets);
  }
  const { stdout } = await host.run(["iptables-save", "-c", "-t", "filter"]);
  const opens = /^\[(\d+):\d+\] -A \S+ .*--set --name kg_edge_ssh_open /m;
  return Number(found(opens.exec(stdout)?.[1]));
}

/** How many sources have taken the first step and no more, over IPv4. */
export async function countStarted(host: LabHost, { backend }: PolicyInput): Promise<number> {
  if (backend === "iptables") {
    return readList(host, "kg_edge_ssh_step1")
      .split("\n")
      .filter((line) => line !== "").length;
  }
  const { stdout } = await host.run(["nft", "-j", "list", "set", "inet", "knockgate_edge", "ssh_step1_v4"]);
  const listing: { nftables: { set?: { elem?: unknown[] } }[] } = JSON.parse(stdout);
  return found(listing.nftables.find(({ set }) => set !== undefined)?.set).elem?.length ?? 0;
}

/** /proc shows the lists of xt_recent of the reader's network namespace. */
function readList(host: LabHost, list: string): string {
  return readFileSync(`/proc/${host.pid}/net/xt_recent/${list}`, "utf8");
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the host does not list what was looked for");
  return value;
}

export interface Syns {
  readonly to: LabHost;
  /** An address, `random`, `ADDRESS+N` for N addresses in turn, or `ADDRESS/24s` for one of each /24 from there on. */
  readonly sources: string;
  readonly count: number;
  readonly perSecond: number;
  /** `FIRST-LAST`, up or down, one port for each packet, or a list `A,B,C`, which each source sends as a whole. */
  readonly ports: string;
}

interface Sent {
  readonly packets: number;
  readonly seconds: number;
}

/** Sends SYNs whose source may be forged. */
export function sendSyns(from: LabMachine, syns: Syns): Promise<Sent> {
  const { to, sources, count, perSecond, ports } = syns;
  return runSender(from, "syns.pl", [to.ipv4, sources, count, perSecond, ports]);
}

export interface Datagrams {
  readonly to: LabHost;
  /** An address, or `random`. */
  readonly sources: string;
  readonly count: number;
  readonly perSecond: number;
  readonly port: number;
  readonly payloadBytes: number;
}

/** Sends datagrams of random bytes whose source may be forged. */
export function sendDatagrams(from: LabMachine, datagrams: Datagrams): Promise<Sent> {
  const { to, sources, count, perSecond, port, payloadBytes } = datagrams;
  return runSender(from, "datagrams.pl", [to.ipv4, sources, count, perSecond, port, payloadBytes]);
}

async function runSender(
  from: LabMachine,
  program: string,
  words: readonly (string | number)[],
): Promise<Sent> {
  const argv = ["perl", join(__dirname, program), ...words.map(String)];
  const { stdout } = await from.run(argv, { timeoutMs: 120_000 });
  const [packets, seconds] = stdout.trim().split(" ").map(Number);
  return { packets: found(packets), seconds: found(seconds) };
}

/** Lets a host take packets from anywhere, as one with a public address does. */
export async function takeAnySource(host: LabHost): Promise<void> {
  for (const link of ["all", "eth0"]) await host.run(["sysctl", "-qw", `net.ipv4.conf.${link}.rp_filter=0`]);
}
