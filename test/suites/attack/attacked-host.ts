import { readFileSync } from "node:fs";
import { afterAll, beforeAll } from "vitest";
import { takeAnySource } from "../../../lab/forged-packets";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import type { LabMachine } from "../../../lab/machine";
import { readCounter } from "../../../lab/nft-counter";
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
  if (backend !== "iptables") return readCounter(host, "knockgate_edge", "ssh_opened");
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
  if (value === undefined) throw new Error("what was looked for is not there");
  return value;
}

export interface AttackedLab {
  readonly host: LabHost;
  readonly client: LabMachine;
  readonly attacker: LabMachine;
}

/** Opens a lab for all tests of a file: a host that takes packets from anywhere, a client of it, and an attacker. */
export function useAttackedLab(): AttackedLab {
  let lab: Lab | undefined;
  beforeAll(async () => {
    lab = await openLab({ hosts: 1, clients: 2 });
    await takeAnySource(found(lab.hosts[0]));
  });
  afterAll(() => lab?.close());
  return {
    get host() {
      return found(lab?.hosts[0]);
    },
    get client() {
      return found(lab?.clients[0]);
    },
    get attacker() {
      return found(lab?.clients[1]);
    },
  };
}
