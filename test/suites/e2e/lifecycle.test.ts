import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { sendKnock, tryConnect } from "../../../lab/packets";
import { openStack } from "../../../lab/stack";
import { listGate } from "../host/inspection";
import { type Declaration, declare, gateProgram } from "./declaration";
import { findSecrets, findSecretsBelow, splitKey } from "./secrets";

const steps = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 9633 }];
const otherSteps = [{ tcp: 7411 }, { udp: 8744 }, { tcp: 9633 }];
const deafSteps = [{ tcp: 7411 }, { udp: 8744 }, { tcp: 9755 }];
const ports = ["7411", "8522", "8744", "9633", "9755"];

/** What the host's owner had before. */
const theirs = `table inet site {
  chain input {
    type filter hook input priority filter; policy accept;
    tcp dport 8080 accept comment "theirs"
  }
}
`;

let lab: Lab;
let host: LabHost;
let stack: Stack;
let declared: Declaration;
let before: string;
/** All output of the engine so far. */
let printed = "";
const listen = { onOutput: (text: string) => (printed += text), color: "never" } as const;

beforeAll(async () => {
  lab = await openLab({ hosts: 1 });
  [host] = lab.hosts as [LabHost];
  await host.run(["nft", "-f", "-"], { stdin: theirs });
  before = await host.ruleset();
  declared = declare(host, lab.privateKey, steps);
  stack = await openStack(lab.directory, gateProgram(declared));
});

afterAll(() => lab?.close());

async function listTable(): Promise<string> {
  return listGate(host);
}

/** Waits until the door that the deployer's knock opened for this machine is closed again. */
async function waitUntilClosed(): Promise<void> {
  await pause(declared.openForSeconds * 1_000 + 700);
  expect(await tryConnect("outside", host.ipv4, 22, 600)).toBe("silent");
}

describe.sequential("one gate from its first up to destroy", () => {
  test("up gates SSH, with a log line for each of the six steps", async () => {
    const { stdout, summary } = await stack.up(listen);
    expect(summary.resourceChanges).toEqual({ create: 3 });
    const seen = ["1/6 connect", "2/6 stage", "3/6 arm", "4/6 load", "5/6 prove", "6/6 confirm"];
    for (const step of seen) expect(stdout).toContain(` edge: edge on ${host.ipv4}:22: ${step}`);
    expect(stdout).not.toContain("Undefined value");
    await waitUntilClosed();
    for (const address of [host.ipv4, host.ipv6]) {
      await sendKnock("outside", { to: address, steps });
      expect(await tryConnect("outside", address, 22, 2_000)).toBe("open");
    }
  });

  test("outputs hold the redacted ruleset in plain, digest and knock as secrets", async () => {
    const { ruleset, digest, knock } = await stack.outputs();
    expect(ruleset?.secret).toBe(false);
    expect(ruleset?.value).toMatch(/tcp dport <ssh-1:[0-9a-f]{6}>/);
    expect(findSecrets(`${ruleset?.value}`, ports)).toEqual([]);
    expect(digest).toEqual({ secret: true, value: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(knock).toMatchObject({ secret: true, value: [{ gate: "ssh", steps }] });
    const { stdout } = await host.run(["sha256sum", "/var/lib/knockgate/edge/confirmed"]);
    expect(stdout.split(" ")[0]).toBe(digest?.value);
  });

  test("up again changes nothing and stages nothing", async () => {
    const mark = printed.length;
    const { summary } = await stack.up(listen);
    expect(summary.resourceChanges).toEqual({ same: 3 });
    expect(printed.slice(mark)).not.toContain("1/6");
    expect((await stack.preview({ ...listen, diff: true })).stdout).not.toMatch(/counters|reachedBy/);
  });

  test("preview --diff shows a changed dialErrorLimit and nothing else", async () => {
    declared.dialErrorLimit = 3;
    const { stdout } = await stack.preview({ ...listen, diff: true });
    declared.dialErrorLimit = undefined;
    expect(stdout).toMatch(/^\s+~ dialErrorLimit: 10 => 3$/m);
    expect(stdout.match(/^\s+[-+~] (?!pulumi|reachedBy|1 to).*/gm)).toHaveLength(1);
  });

  test("preview supposes another host while the host is not known yet, and knows the rest", async () => {
    declared.isHostUnknown = true;
    const { stdout, changeSummary } = await stack.preview({ ...listen, diff: true });
    declared.isHostUnknown = false;
    expect(changeSummary).toMatchObject({ replace: 1 });
    expect(stdout).toMatch(/^\s+~ host +: "[\d.]+" => \[unknown\]$/m);
    expect(stdout).not.toMatch(/[-+~] undoAfterSeconds/);
    declared.openForSeconds = 0;
    declared.isHostUnknown = true;
    await expect(stack.preview(listen)).rejects.toThrow(/policy\.gates\[0\]\.openForSeconds/);
    Object.assign(declared, { openForSeconds: 3, isHostUnknown: false });
  });

  test("preview --diff of another step shows its lines, and no port", async () => {
    declared.steps = otherSteps;
    const { stdout } = await stack.preview({ ...listen, diff: true });
    expect(stdout).toMatch(/^\s+- .*udp dport <ssh-2:[0-9a-f]{6}>/m);
    expect(stdout).toMatch(/^\s+\+ .*udp dport <ssh-2:[0-9a-f]{6}>/m);
    expect(stdout).not.toMatch(/^\s+[-+] .*<ssh-1:/m);
    expect(findSecrets(stdout, ports)).toEqual([]);
  });

  test("up comes through the closed gate and opens for the new knock alone", async () => {
    await waitUntilClosed();
    const { summary } = await stack.up(listen);
    expect(summary.resourceChanges).toEqual({ same: 2, update: 1 });
    await waitUntilClosed();
    await sendKnock("outside", { to: host.ipv4, steps });
    expect(await tryConnect("outside", host.ipv4, 22, 600)).toBe("silent");
    await sendKnock("outside", { to: host.ipv4, steps: otherSteps });
    expect(await tryConnect("outside", host.ipv4, 22, 2_000)).toBe("open");
  });

  test("an update whose knock never arrives is undone, and the state keeps the old one", async () => {
    const table = await listTable();
    const eaten = await lab.swallow({ to: host, protocol: "tcp", port: 9755 });
    declared.steps = deafSteps;
    const failure = await stack.up(listen).then(
      () => "it came through",
      (error: unknown) => `${error}`,
    );
    await eaten.restore();
    expect(failure).toContain(
      `policy edge on ${host.ipv4}:22: 5/6 prove failed: no fresh SSH connection came through after 3 knocks`,
    );
    expect(failure).toContain("The host has put back what it had before.");
    expect(await listTable()).toBe(table);
    expect((await stack.outputs())["knock"]?.value).toMatchObject([{ steps: otherSteps }]);
    declared.steps = otherSteps;
    await waitUntilClosed();
    expect((await stack.up(listen)).summary.resourceChanges).toEqual({ same: 3 });
  });

  test("refresh finds a rule deleted by hand, preview shows it, up puts it back", async () => {
    const table = await listTable();
    await host.run(["nft", "flush", "chain", "inet", "knockgate_edge", "ssh_door"]);
    expect((await stack.refresh(listen)).summary.resourceChanges).toEqual({ same: 2, update: 1 });
    const { stdout } = await stack.preview({ ...listen, diff: true });
    expect(stdout).toMatch(/^\s+\+\s+counter name .* drop$/m);
    await stack.up(listen);
    expect(await listTable()).toBe(table);
    expect((await stack.refresh(listen)).summary.resourceChanges).toEqual({ same: 3 });
  });

  test("refresh finds the whole table gone, and up puts it back", async () => {
    await host.run(["nft", "delete", "table", "inet", "knockgate_edge"]);
    expect((await stack.refresh(listen)).summary.resourceChanges).toEqual({ same: 2, update: 1 });
    await stack.up(listen);
    await waitUntilClosed();
  });

  test("a wrong policy fails in preview with all its findings, without contacting a host", async () => {
    const good = { steps: declared.steps, gates: declared.gates };
    declared.steps = [{ tcp: 22 }, { tcp: 70_000, udp: 1 }];
    declared.gates = [{ name: "Web!", protect: [{ tcp: "90-80" }], knock: { steps: [] } }];
    const failure = await stack.preview(listen).then(
      () => "it was accepted",
      (error: unknown) => `${error}`,
    );
    Object.assign(declared, good);
    for (const path of [
      "policy.gates[0].knock.steps[0].tcp",
      "policy.gates[0].knock.steps[1].tcp",
      "policy.gates[1].name",
      "policy.gates[1].protect[0].tcp",
      "policy.gates[1].knock.steps",
    ]) {
      expect(failure).toContain(path);
    }
  });

  test("no secret stands in the state, its backups, its history, or in what was printed", async () => {
    const secrets = [...ports, ...splitKey(lab.privateKey)];
    const state = join(lab.directory, "backend", ".pulumi", "stacks", "knockgate-lab", "lab.json");
    expect(findSecrets(await readFile(state, "utf8"), secrets)).toEqual([]);
    expect(await findSecretsBelow(join(lab.directory, "backend"), secrets)).toEqual([]);
    expect(findSecrets(printed, secrets)).toEqual([]);
  });

  test("destroy leaves the firewall byte for byte as it was, and no file", async () => {
    await stack.destroy(listen);
    expect(await host.ruleset()).toBe(before);
    const { stdout } = await host.run(["find", "/var/lib", "/etc", "/run", "-name", "*knockgate*"]);
    expect(stdout).toBe("");
  });
});
