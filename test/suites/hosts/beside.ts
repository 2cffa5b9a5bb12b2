import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { BootedHost } from "../../../lab/booted-host";
import { type Lab, openLab } from "../../../lab/lab";
import type { LabClient } from "../../../lab/machine";
import { tryConnect } from "../../../lab/packets";
import { changeHost } from "../../../src/change/change";
import type { Policy } from "../../../src/policy/policy";
import type { RootfsKind } from "../../../tools/setup/rootfs-place.mjs";
import { watchClosed } from "../host/connect-loop";
import { deployTo, waitUntil } from "../host/deployment";
import { isLetIn, listGate } from "../host/inspection";
import { listDrift } from "../host/look";
import { makePolicy, oldSteps, type Particulars } from "../host/policies";
import { type HostRow, recordResult } from "./row";

/** A port that the neighbour lets through, and one that it does not. Something listens on both. */
export const [allowedPort, deniedPort] = [8_081, 8_082];

/** A gate on a booted host, and the firewall beside it. */
export interface Beside {
  readonly lab: Lab;
  readonly host: BootedHost;
  readonly client: LabClient;
  readonly policy: Policy;
  /** Debian's package of the neighbour. */
  readonly neighbour: string;
  /** Fails unless the neighbour does its own work. Returns what it does, for a row's result. */
  expectWork(): Promise<string>;
}

export async function openBeside(kind: RootfsKind): Promise<Pick<Beside, "lab" | "host" | "client">> {
  const lab = await openLab({ hosts: 0, clients: 1, bootedHosts: 1, bootedInit: kind });
  const [host, client] = [lab.bootedHosts[0], lab.clients[0]];
  if (host === undefined || client === undefined) throw new Error("expected a host and a client");
  await listen(host);
  return { lab, host, client };
}

/** Opens two ports by sockets of systemd, so that they are there after each boot. */
async function listen(host: BootedHost): Promise<void> {
  const socket = `[Socket]
ListenStream=${allowedPort}
ListenStream=${deniedPort}
Accept=yes
[Install]
WantedBy=sockets.target
`;
  await host.run(["sh", "-c", "cat >/etc/systemd/system/answer.socket"], { stdin: socket });
  await host.run(["sh", "-c", "cat >/etc/systemd/system/answer@.service"], {
    stdin: "[Service]\nExecStart=/bin/true\n",
  });
  await host.run(["systemctl", "enable", "--now", "answer.socket"]);
}

/** Doors close soon, so that each knock is seen to open one. */
export const makeShort = (backend: Policy["backend"], more: Particulars = {}): Policy => {
  const gate = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [...oldSteps] }, openForSeconds: 5 };
  return makePolicy({ backend, gates: [gate], ...more });
};

/** Confirms the policy. Returns the lines of the change. */
export async function change(
  { lab, host, policy }: Beside,
  isFirst = false,
  former: Policy = policy,
): Promise<string> {
  const context = await deployTo(lab, host);
  const formerPolicies = isFirst ? [] : [former];
  await changeHost({ policy, owner: "me", undoAfterSeconds: 60, formerPolicies }, context);
  return context.lines.join("\n");
}

/** What comes back from a port. A firewall that rejects says so by ICMP. */
export function answerOf({ client, host }: Beside, port: number): Promise<string> {
  return tryConnect(client, host.ipv4, port, 900).catch((error: Error) => error.message);
}

export interface Act {
  readonly row: HostRow;
  run(): Promise<unknown>;
  /** Whether the gate may be open for a moment meanwhile, and the reason is in docs/boot.md. */
  readonly mayOpen?: boolean;
  /** Whether the neighbour itself refuses packets, which is no answer of the gated service. */
  readonly mayRefuse?: boolean;
  /** In place of the neighbour's usual work. */
  readonly expectWork?: () => Promise<string>;
}

/** Lets the neighbour act beside the gate, and tries all that must hold then. Records the row's result. */
export async function playAct(beside: Beside, act: Act): Promise<void> {
  const { lab, host, client, policy } = beside;
  const { row, run, mayOpen = false, mayRefuse = false, expectWork = beside.expectWork } = act;
  await waitUntil("a closed gate", 20_000, async () => !(await isLetIn(client, host)));
  const isBack = await makeLook(beside);
  const seen = await watchClosed(client, host, async () => {
    await run();
    await waitUntil("the gate", 20_000, isBack);
    await sleep(300); // something may still be flushed
    await waitUntil("the gate", 20_000, isBack);
  });
  // At the end of a shutdown the kernel refuses for a service that has ended.
  const isReboot = row.act.startsWith("reboot");
  const answered = isReboot || mayRefuse ? seen.answered - seen.refused : seen.answered;
  if (!mayOpen) expect(answered).toBe(0);
  expect(seen.begun).toBeGreaterThan(50);
  expect(await isLetIn(client, host)).toBe(false);
  expect(await isLetIn(client, host, oldSteps)).toBe(true);
  const work = await expectWork();
  expect(await listDrift(lab, host, policy)).toEqual([]);
  expect(await change(beside)).toContain("nothing to change");
  recordResult(row, {
    versions: await askVersions(beside),
    result: `closed without the knock, open with it; ${work}; no drift, and the next change finds nothing to do${isReboot && seen.refused > 0 ? "; in the last moments of the shutdown, after the end of sshd, the kernel refused" : ""}`,
    openMs: answered === 0 ? 0 : seen.openMs,
  });
}

/** Returns what tells whether the gate is loaded as it is now. */
async function makeLook({ host, policy }: Beside): Promise<() => Promise<boolean>> {
  const list = async () => {
    if (policy.backend === "nftables") return listGate(host);
    const each =
      "for tool in iptables ip6tables; do $tool-save -t filter | grep kg_edge | sed 's/ [[].*//'; done";
    return (await host.run(["sh", "-c", each])).stdout;
  };
  const sort = (text: string) => text.split("\n").sort().join("\n");
  const before = sort(await list());
  expect(before).toContain("edge");
  return async () => sort(await list()) === before;
}

export async function askVersions({ host, neighbour, policy }: Beside): Promise<string> {
  const tool = policy.backend === "nftables" ? "nft" : "iptables";
  const ask = `${tool} --version; dpkg-query -W -f '\${Package} \${Version}\\n' ${neighbour}; uname -r`;
  const { stdout } = await host.run(["sh", "-c", ask]);
  const [firewall = "", other = "", kernel = ""] = stdout.split("\n");
  const named = firewall.replace(/^(\S+) v?(\S+).*/, (_, name, version) => `${name} ${version}`);
  return `${other}, ${named.replace("nftables", "nft")}, kernel ${kernel}`;
}
