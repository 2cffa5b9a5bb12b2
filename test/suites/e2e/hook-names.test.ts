import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { KnockFleet, KnockGate } from "knockgate";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { openStack } from "../../../lab/stack";

interface DiallerModule {
  readonly Dialler: new (name: string, props: object, opts: pulumi.CustomResourceOptions) => object;
}
const { Dialler }: DiallerModule = require(join(__dirname, "dialler.cjs"));

const knocks = [
  [{ tcp: 7411 }, { udp: 8522 }, { tcp: 6633 }],
  [{ udp: 7511 }, { tcp: 6433 }, { udp: 8722 }],
  [{ tcp: 9411 }, { tcp: 5433 }, { udp: 8122 }],
] as const;

let lab: Lab;
const declared = { isGuarded: true };

beforeAll(async () => {
  lab = await openLab({ hosts: 3 });
});
afterAll(() => lab?.close());

function connectionOf({ ipv4, hostKey }: LabHost) {
  return { host: ipv4, user: "ops", privateKey: lab.privateKey, hostKey };
}

function policyOf(steps: (typeof knocks)[number]) {
  return {
    name: "edge",
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [...steps] }, openForSeconds: 2 }],
    acceptRisks: ["window-too-short"],
  };
}

/** A gate, a gate below another component, and a host of a fleet: the resource of each is called `web-a`. */
async function program(): Promise<void> {
  const [first, second, third] = lab.hosts as [LabHost, LabHost, LabHost];
  const own = new KnockGate("web-a", { connection: connectionOf(first), policy: policyOf(knocks[0]) });
  const site = new pulumi.ComponentResource("acme:index:Site", "web");
  const below = new KnockGate(
    "web-a",
    { connection: connectionOf(second), policy: policyOf(knocks[1]) },
    { parent: site },
  );
  const fleet = new KnockFleet("web", {
    hosts: { a: { connection: connectionOf(third) } },
    policy: policyOf(knocks[2]),
  });
  if (!declared.isGuarded) return;
  const gates = [own, below, fleet.hosts["a"]];
  for (const [index, gate] of gates.entries()) {
    if (gate === undefined) throw new Error("the fleet has no such host");
    const dependsOn = [own, below, fleet];
    new Dialler(`dialler-${index}`, { host: lab.hosts[index]?.ipv4 }, { dependsOn, hooks: gate.hooks });
  }
}

async function waitForClosedDoors(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 2_500));
}

test("gates and hosts of fleets that share a name each send their own knock", async () => {
  const { summary } = await (await openStack(lab.directory, program)).up();
  expect(summary.resourceChanges).toMatchObject({ create: 12 });
});

test("what the program no longer has is deleted through them", async () => {
  declared.isGuarded = false;
  await waitForClosedDoors();
  const { summary } = await (await openStack(lab.directory, program)).up();
  expect(summary.resourceChanges).toMatchObject({ delete: 3 });
});
