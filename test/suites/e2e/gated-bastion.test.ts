import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type * as pulumi from "@pulumi/pulumi";
import { type KnockArgs, KnockFleet, KnockGate, type Profile, userKey } from "knockgate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { tryConnect } from "../../../lab/packets";
import { openStack } from "../../../lab/stack";
import { hideBehind } from "../host/bastions";
import { findSecrets, findSecretsBelow } from "./secrets";

const sequence: KnockArgs = { steps: [{ tcp: 7411 }, { udp: 8522 }, { tcp: 9633 }] };
const otherSequence: KnockArgs = { steps: [{ tcp: 6411 }, { udp: 8744 }, { tcp: 9755 }] };
const inner: KnockArgs = { steps: [{ udp: 5411 }, { tcp: 4522 }, { udp: 7633 }] };
const token: KnockArgs = { token: { udp: 62_201 } };
const seed = "correct-horse-battery-staple-0123456789";
const adaKey = userKey({ seed, policy: "way-in", user: "ada" });
const secrets = ["7411", "8522", "9633", "6411", "8744", "9755", "5411", "4522", "7633", adaKey];
/** Longer than the doors of the bastion and of the host are open. */
const closedMs = 2_300;

interface DiallerModule {
  readonly Dialler: new (name: string, props: object, opts: pulumi.CustomResourceOptions) => object;
}
const { Dialler }: DiallerModule = require(join(__dirname, "dialler.cjs"));

let lab: Lab;
let bastion: LabHost;
let hosts: readonly LabHost[];
let printed = "";
const listen = { onOutput: (text: string) => (printed += text), color: "never" } as const;
const declared = {
  knock: sequence,
  openForSeconds: 2,
  hasHost: false,
  hasFleet: false,
  hasDialler: false,
  isTold: true,
};

beforeAll(async () => {
  lab = await openLab({ hosts: 3 });
  [bastion, ...hosts] = lab.hosts as [LabHost, LabHost, LabHost];
  for (const host of hosts) await hideBehind(bastion, host);
});
afterAll(() => lab?.close());

/** A bastion that is gated, and hosts behind it, whose gates' knocks leave from the bastion. */
async function program(): Promise<void> {
  const login = { user: "ops", privateKey: lab.privateKey, perDialTimeout: 2, dialErrorLimit: 0 };
  const proxy = { ...login, host: bastion.ipv4, hostKey: bastion.hostKey };
  const users = "token" in declared.knock ? { users: [{ name: "ada", key: adaKey }] } : {};
  const gate = (knock: KnockArgs, openForSeconds: number) => [
    { name: "ssh", protect: [{ tcp: "22" }], knock, openForSeconds },
  ];
  const policy = { gates: gate(inner, declared.openForSeconds), acceptRisks: ["window-too-short"] };
  const first = new KnockGate("bastion", {
    connection: proxy,
    policy: { ...policy, name: "way-in", gates: gate(declared.knock, 2), ...users },
  });
  const told: { hopProfiles?: pulumi.Output<Profile>[] } = declared.isTold
    ? { hopProfiles: [first.profile] }
    : {};
  const [alone, ofFleet] = hosts.map(({ ipv4, hostKey }) => ({ ...login, host: ipv4, hostKey, proxy }));
  if (declared.hasHost && alone !== undefined) {
    const { hooks } = new KnockGate("alone", {
      connection: alone,
      policy: { ...policy, name: "alone" },
      ...told,
    });
    // As a resource with the host's connection does first, it dials the bastion.
    if (declared.hasDialler) new Dialler("dialler", { host: bastion.ipv4 }, { hooks });
  }
  if (declared.hasFleet && ofFleet !== undefined)
    new KnockFleet("fleet", {
      hosts: { a: { connection: { host: ofFleet.host, hostKey: ofFleet.hostKey } } },
      connection: { ...login, proxy },
      policy: { ...policy, name: "fleet" },
      ...told,
    });
}

const stack = () => openStack(lab.directory, program);

/** Waits until the last doors are closed again, and makes sure that the bastion's is. */
async function waitUntilClosed(): Promise<void> {
  await pause(closedMs);
  expect(await tryConnect("outside", bastion.ipv4, 22, 600)).toBe("silent");
}

describe.sequential("a host behind a bastion that is gated itself", () => {
  test("can't be reached without the bastion's profile", async () => {
    await (await stack()).up(listen);
    await waitUntilClosed();
    Object.assign(declared, { hasHost: true, isTold: false });
    const failure = await (await stack()).up(listen).then(
      () => "it came through",
      (error: unknown) => `${error}`,
    );
    expect(failure).toMatch(/bastion ops@\S+.*\[UNREACHABLE\]/s);
  });

  test("is gated with it, after the bastion and through the bastion's gate", async () => {
    declared.isTold = true;
    const { stdout } = await (await stack()).up(listen);
    expect(stdout).toMatch(/alone on \S+ through bastion ops@\S+: 6\/6 confirm/);
  });

  test("is looked at by a refresh, which knows the bastion's knock from the state", async () => {
    await waitUntilClosed();
    const { summary, stdout } = await (await stack()).refresh(listen);
    expect(summary.resourceChanges).toEqual({ same: 5 });
    expect(stdout).not.toContain("drift");
  });

  test("is the same for a program that says the same", async () => {
    await waitUntilClosed();
    const { summary } = await (await stack()).up(listen);
    expect(summary.resourceChanges).toEqual({ same: 5 });
  });

  test("has hooks that open the bastion as well, for others that dial it", async () => {
    declared.hasDialler = true;
    await waitUntilClosed();
    const { summary } = await (await stack()).up(listen);
    expect(summary.resourceChanges).toMatchObject({ create: 1 });
    declared.hasDialler = false;
    await waitUntilClosed();
    expect((await (await stack()).up(listen)).summary.resourceChanges).toMatchObject({ delete: 1 });
  });

  test("learns a new knock of the bastion without being asked", async () => {
    declared.knock = otherSequence;
    await waitUntilClosed();
    const { summary, stdout } = await (await stack()).up(listen);
    expect(summary.resourceChanges).toMatchObject({ update: 2 });
    expect(stdout).not.toContain("alone on ");
  });

  test("is updated through a gate that tokens open from now on, when one up changes both", async () => {
    Object.assign(declared, { knock: token, openForSeconds: 3 });
    await waitUntilClosed();
    const { stdout } = await (await stack()).up(listen);
    for (const name of ["way-in", "alone"]) expect(stdout).toMatch(new RegExp(`${name} on .*: 6/6 confirm`));
  });

  test("may be a fleet's, and is deleted through the bastion's gate, too", async () => {
    Object.assign(declared, { hasHost: false, hasFleet: true });
    await waitUntilClosed();
    await (await stack()).up(listen);
    const [alone, ofFleet] = await Promise.all(hosts.map((host) => host.ruleset()));
    expect(alone).not.toContain("knockgate");
    expect(ofFleet).toContain("table inet knockgate_fleet");
  });

  test("is freed before the bastion by a destroy, which has only the state", async () => {
    await waitUntilClosed();
    await (await stack()).destroy(listen);
    for (const host of [bastion, ...hosts]) expect(await host.ruleset()).not.toContain("knockgate");
    expect(await tryConnect("outside", bastion.ipv4, 22, 600)).toBe("open");
  });

  test("no knock was printed, and none is in the state in plain text", async () => {
    expect(findSecrets(printed, secrets)).toEqual([]);
    expect(await findSecretsBelow(`${lab.directory}/backend`, secrets)).toEqual([]);
  });
});
