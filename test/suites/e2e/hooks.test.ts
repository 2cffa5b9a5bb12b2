import { join } from "node:path";
import type { CustomResourceOptions } from "@pulumi/pulumi";
import { KnockGate } from "knockgate";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { openStack } from "../../../lab/stack";

interface DiallerModule {
  readonly Dialler: new (name: string, props: object, opts: CustomResourceOptions) => object;
}
const { Dialler }: DiallerModule = require(join(__dirname, "dialler.cjs"));

const steps = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 6633 }];
const otherSteps = [{ udp: 7511 }, { tcp: 6433 }, { udp: 8722 }];

let lab: Lab;
let host: LabHost;
const declared = { steps, isGuarded: true, note: "first", lateOnce: undefined as string | undefined };

beforeAll(async () => {
  lab = await openLab({ hosts: 1 });
  [host] = lab.hosts as [LabHost];
});
afterAll(() => lab?.close());

async function program(): Promise<void> {
  const { ipv4, hostKey } = host;
  const gate = new KnockGate("edge", {
    connection: { host: ipv4, user: "ops", privateKey: lab.privateKey, hostKey },
    policy: {
      name: "edge",
      gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps: declared.steps }, openForSeconds: 3 }],
      acceptRisks: ["window-too-short"],
    },
  });
  const { note, lateOnce } = declared;
  const guard = declared.isGuarded ? { hooks: gate.hooks } : {};
  new Dialler("dialler", { host: ipv4, note, lateOnce }, { dependsOn: gate, ...guard });
}

function open() {
  return openStack(lab.directory, program);
}

/** A door that the deployer's own knock opened is open to the whole machine. */
async function waitForClosedDoor(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 3_500));
}

test("a resource that dials the gated host fails without the hooks", async () => {
  declared.isGuarded = false;
  declared.lateOnce = join(lab.directory, "late");
  await expect((await open()).up()).rejects.toThrow(/i\/o timeout/);
});

test("and is created with them: when it dials late, they knock once more", async () => {
  declared.isGuarded = true;
  declared.lateOnce = join(lab.directory, "late again");
  await waitForClosedDoor();
  expect((await (await open()).up()).summary.resourceChanges).toMatchObject({ create: 1 });
});

test("is updated by the new knock when the gate's was changed in the same up", async () => {
  declared.steps = otherSteps;
  declared.note = "second";
  declared.lateOnce = join(lab.directory, "late once more");
  await waitForClosedDoor();
  expect((await (await open()).up()).summary.resourceChanges).toMatchObject({ update: 2 });
});

test("is not deleted by a plain destroy, which says why", async () => {
  await expect((await open()).destroy()).rejects.toThrow(/--run-program/);
});

test("is deleted by a destroy that runs the program, before the gate goes", async () => {
  await waitForClosedDoor();
  await (await open()).destroy({ runProgram: true });
  expect((await host.run(["nft", "list", "ruleset"])).stdout).toBe("");
});
