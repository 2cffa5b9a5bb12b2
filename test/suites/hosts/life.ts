import { expect } from "vitest";
import type { LabHost } from "../../../lab/host";
import type { Lab } from "../../../lab/lab";
import type { LabMachine } from "../../../lab/machine";
import { changeHost } from "../../../src/change/change";
import { removeFromHost } from "../../../src/change/remove";
import type { Policy } from "../../../src/policy/policy";
import type { StepInput } from "../../../src/policy/step";
import { writePolicy } from "../../../src/policy/written-policy";
import { type Deployment, deployTo } from "../host/deployment";
import { isLetIn } from "../host/inspection";
import { listDrift } from "../host/look";
import { makePolicy } from "../host/policies";

export const oldSteps: readonly StepInput[] = [{ tcp: 47_001 }, { udp: 58_002 }, { icmpPayloadBytes: 77 }];
export const newSteps: readonly StepInput[] = [
  { udp: 41_101, udpPayloadBytes: 5 },
  { tcp: 52_102 },
  { tcp: 36_103 },
];
const web = { name: "web", protect: [{ tcp: "8080" }], knock: { steps: [{ tcp: 61_001 }, { tcp: 51_002 }] } };

/** One gate's life on one host: who plays in it, and which policies the host gets. */
export interface Life {
  readonly lab: Lab;
  readonly host: LabHost;
  readonly backend: Policy["backend"];
  /** A client whose door is open over most of the life. */
  readonly friend: LabMachine;
  /** A client that knocks only to try a new knock. */
  readonly stranger: LabMachine;
  readonly policies: { readonly old: Policy; readonly wider: Policy; readonly changed: Policy };
  /** All lines that the deployer was told so far. */
  readonly told: readonly string[];
  deploy(): Promise<Deployment>;
  /** Replaces the policy `former` by another one. Returns what the deployer was told. */
  change(policy: Policy, former?: Policy): Promise<string>;
  /** The gate, as the host's tool lists it. */
  listOwn(): Promise<string>;
  /** All rules of the host. The nft variant of iptables makes tables when it is first called: only where it is used. */
  listAll(): Promise<string>;
  remove(policy: Policy): Promise<void>;
}

/** How the deployer works. */
export interface LifeOptions {
  /** Default: 60. */
  readonly undoAfterSeconds?: number;
  /** Makes the deployer's connection. Default: root by key. */
  readonly deploy?: () => Promise<Deployment>;
}

/** The lab needs two clients. */
export function beginLife(
  lab: Lab,
  host: LabHost,
  backend: Policy["backend"],
  { undoAfterSeconds = 60, deploy = () => deployTo(lab, host) }: LifeOptions = {},
): Life {
  const told: string[] = [];
  const [friend, stranger] = lab.clients;
  if (friend === undefined || stranger === undefined) throw new Error("the lab needs two clients");
  const old = makePolicy({ steps: oldSteps, backend });
  const ssh = writePolicy(old).gates[0] as object;
  const wider = makePolicy({ backend, gates: [ssh, web] } as never);
  const changed = makePolicy({ steps: newSteps, backend });
  const list = async (program: string) => (await host.run(["sh", "-c", program])).stdout;
  return {
    lab,
    host,
    backend,
    friend,
    stranger,
    policies: { old, wider, changed },
    told,
    deploy,
    change: async (policy, former) => {
      const context = await deploy();
      const formerPolicies = former === undefined ? [] : [former];
      await changeHost({ owner: "me", undoAfterSeconds, policy, formerPolicies }, context).finally(() =>
        told.push(...context.lines),
      );
      return context.lines.join("\n");
    },
    listOwn: () => list(listing[backend]),
    listAll: () => list(backend === "nftables" ? "nft list ruleset" : listing.iptables),
    remove: async (policy) => {
      await removeFromHost(policy, "me", await deploy());
    },
  };
}

/**
 * First change, updates through the gate that keep a door open, an update that fails and is undone, drift and its
 * repair. The host ends with the policy `changed`.
 */
export async function liveThroughGate(life: Life): Promise<void> {
  const { lab, host, friend, stranger, change, deploy, listOwn } = life;
  const { old, wider, changed } = life.policies;
  await change(old);
  expect(await isLetIn(friend, host)).toBe(false);
  expect(await isLetIn(friend, host, oldSteps)).toBe(true);
  expect(await listDrift(lab, host, old, deploy)).toEqual([]);

  expect(await change(wider, old)).toContain("open doors stay open");
  expect(await isLetIn(friend, host)).toBe(true);
  expect(await change(changed, wider)).toContain("open doors stay open");
  expect(await isLetIn(friend, host)).toBe(true);
  expect(await change(changed, changed)).toContain("nothing to change");

  const loaded = await listOwn();
  const eaten = await lab.swallow({ to: host, protocol: "tcp", port: 47_001 });
  await expect(change(old, changed)).rejects.toMatchObject({
    code: "NOT_CONFIRMED",
    message: expect.stringContaining("The host has put back what it had before."),
  });
  await eaten.restore();
  expect(await listOwn()).toBe(loaded);
  expect(await isLetIn(stranger, host)).toBe(false);
  expect(await isLetIn(stranger, host, newSteps)).toBe(true);

  await host.run(["sh", "-c", spoil[life.backend]]);
  expect(await listDrift(lab, host, changed, deploy)).toEqual([
    expect.stringMatching(/^changed outside: .*: \+ .*accept$/i),
    expect.stringContaining("undone: the host has put back what it had before the last change"),
  ]);
  await change(changed, changed);
  expect(await listOwn()).toBe(loaded);
  expect(await listDrift(lab, host, changed, deploy)).toEqual([]);
}

const spoil = {
  nftables: "nft add rule inet knockgate_edge ssh_door accept",
  iptables: "iptables -A kg_edge -p tcp --dport 9 -j ACCEPT",
};

const listing = {
  nftables: "nft -s -t list table inet knockgate_edge | sed 's/[[:space:]]*# count [0-9]*$//'",
  iptables: "for t in iptables ip6tables; do $t-save -t filter | sed -e '/^#/d' -e 's/ [[].*//'; done",
};
