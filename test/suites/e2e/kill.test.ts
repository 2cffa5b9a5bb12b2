import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { sendKnock, tryConnect } from "../../../lab/packets";
import { openStack } from "../../../lab/stack";
import { listGate } from "../host/inspection";
import { type Declaration, declare, gateProgram } from "./declaration";
import { upAndDieAfter } from "./up-and-die";

const steps = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 9633 }];
const otherSteps = [{ tcp: 7411 }, { udp: 8744 }, { tcp: 9633 }];
/** Seconds; the shortest time that is allowed. */
const armed = 10;

let lab: Lab;
let host: LabHost;
let declared: Declaration;

beforeAll(async () => {
  lab = await openLab({ hosts: 1 });
  [host] = lab.hosts as [LabHost];
  declared = { ...declare(host, lab.privateKey, steps), undoAfterSeconds: armed };
});

afterAll(() => lab?.close());

const upAndDieAfterLoad = () => upAndDieAfter("4/6 load", declared, lab.directory);

async function listTable(): Promise<string> {
  return listGate(host);
}

test("a first up killed right after the load leaves the host as it was, within the armed time", async () => {
  const killed = await upAndDieAfterLoad();
  expect(killed).toBeGreaterThanOrEqual(3); // the program, the engine, the provider
  expect(await listTable()).toContain("chain ssh_door");
  await pause(armed * 1_000 + 1_500);
  expect(await listTable()).toBe("");
  expect((await host.run(["ls", "-A", "/var/lib"])).stdout).not.toContain("knockgate");
});

test("the next up ends well without a manual step on the host", async () => {
  const stack = await openStack(lab.directory, gateProgram(declared));
  await stack.cancel(); // the lock that the killed engine left in the file backend
  await stack.up();
  expect(await listTable()).toContain("chain ssh_door");
});

test("after an update killed right after the load, the host has the old ruleset again within the armed time", async () => {
  const before = await listTable();
  declared.steps = otherSteps;
  await upAndDieAfterLoad();
  expect(await listTable()).not.toBe(before);
  await pause(armed * 1_000 + 1_500);
  expect(await listTable()).toBe(before);
  await sendKnock("outside", { to: host.ipv4, steps });
  expect(await tryConnect("outside", host.ipv4, 22, 2_000)).toBe("open");
});

test("and the next up ends well", async () => {
  const stack = await openStack(lab.directory, gateProgram(declared));
  await stack.cancel();
  expect((await stack.up()).summary.resourceChanges).toMatchObject({ update: 1 });
  await stack.destroy();
  expect(await listTable()).toBe("");
});
