import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import type { EngineEvent, Stack } from "@pulumi/pulumi/automation";
import { KnockGate, type KnockGateArgs } from "knockgate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { sendKnock, tryConnect } from "../../../lab/packets";
import { openStack } from "../../../lab/stack";
import { version } from "../../../package.json";
import { findSecrets, findSecretsBelow, splitKey } from "../e2e/secrets";
import { listGate } from "../host/inspection";

const root = join(__dirname, "..", "..", "..");
const steps = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 9633 }];
const otherSteps = [{ tcp: 7411 }, { udp: 8744 }, { tcp: 9633 }];
const ports = ["7411", "8522", "8744", "9633"];
const openForSeconds = 2;

let lab: Lab;
let host: LabHost;
let before: string;
let stack: Stack;
/** Whether the program is in another language. Otherwise it is in TypeScript. */
let isRemote = true;
let declared: readonly { readonly tcp?: number; readonly udp?: number }[] = steps;
/** All output of the engine so far. */
let printed = "";
const events: EngineEvent[] = [];
const listen = {
  onOutput: (text: string) => (printed += text),
  onEvent: (event: EngineEvent) => events.push(event),
  color: "never",
} as const;

/** The component in a generated SDK: its arguments, which go to the plugin, and its outputs. */
class RemoteGate extends pulumi.ComponentResource {
  declare readonly ruleset: pulumi.Output<string>;
  declare readonly digest: pulumi.Output<string>;
  declare readonly knock: pulumi.Output<unknown>;

  constructor(name: string, args: KnockGateArgs) {
    const inputs = { ...args, ruleset: undefined, digest: undefined, knock: undefined };
    super("knockgate:index:KnockGate", name, inputs, { version }, true);
  }
}

/** A remote gate is what a program in another language declares: no part of this package runs in the program. */
async function program(): Promise<Record<string, unknown>> {
  const Gate = isRemote ? RemoteGate : KnockGate;
  const gate = new Gate("edge", {
    connection: {
      host: host.ipv4,
      user: "ops",
      hostKey: host.hostKey,
      privateKey: pulumi.secret(lab.privateKey),
    },
    policy: {
      name: "edge",
      gates: [
        {
          name: "ssh",
          protect: [{ tcp: "22" }],
          knock: { steps: pulumi.secret([...declared]) },
          openForSeconds,
        },
      ],
    },
  });
  return { ruleset: gate.ruleset, digest: gate.digest, knock: gate.knock };
}

beforeAll(async () => {
  lab = await openLab({ hosts: 1 });
  [host] = lab.hosts as [LabHost];
  before = await host.ruleset();
  stack = await openStack(lab.directory, program, "lab", { knockgate: root });
});

afterAll(() => lab?.close());

async function waitUntilClosed(): Promise<void> {
  await pause(openForSeconds * 1_000 + 700);
  expect(await tryConnect("outside", host.ipv4, 22, 600)).toBe("silent");
}

/** The lines that the engine shows at the resource. */
function listLines(): readonly string[] {
  return events.flatMap(({ diagnosticEvent }) => {
    return diagnosticEvent?.urn?.endsWith("$knockgate:index:Ruleset::edge") ? [diagnosticEvent.message] : [];
  });
}

describe.sequential("a gate that the plugin serves to the engine", () => {
  test("up gates SSH, with a log line for each of the six steps at the resource", async () => {
    const { summary } = await stack.up(listen);
    expect(summary.resourceChanges).toEqual({ create: 3 });
    for (const step of ["1/6 connect", "2/6", "3/6", "4/6 load", "5/6 prove", "6/6 confirm"]) {
      expect(listLines()).toContainEqual(expect.stringContaining(`edge on ${host.ipv4}:22: ${step}`));
    }
    await waitUntilClosed();
    await sendKnock("outside", { to: host.ipv4, steps });
    expect(await tryConnect("outside", host.ipv4, 22, 2_000)).toBe("open");
  });

  test("outputs hold the redacted ruleset in plain, digest and knock as secrets", async () => {
    const { ruleset, digest, knock } = await stack.outputs();
    expect(ruleset).toEqual({ secret: false, value: expect.stringMatching(/tcp dport <ssh-1:[0-9a-f]{6}>/) });
    expect(digest).toEqual({ secret: true, value: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(knock).toMatchObject({ secret: true, value: [{ gate: "ssh", steps }] });
  });

  test("up again changes nothing; preview --diff of another step shows its lines, and no port", async () => {
    expect((await stack.up(listen)).summary.resourceChanges).toEqual({ same: 3 });
    declared = otherSteps;
    const { stdout } = await stack.preview({ ...listen, diff: true });
    expect(stdout).toMatch(/^\s+- .*udp dport <ssh-2:[0-9a-f]{6}>/m);
    expect(stdout).toMatch(/^\s+\+ .*udp dport <ssh-2:[0-9a-f]{6}>/m);
    expect(findSecrets(stdout, ports)).toEqual([]);
  });

  test("up comes through the closed gate and opens for the new knock alone", async () => {
    await waitUntilClosed();
    expect((await stack.up(listen)).summary.resourceChanges).toEqual({ same: 2, update: 1 });
    await waitUntilClosed();
    await sendKnock("outside", { to: host.ipv4, steps: otherSteps });
    expect(await tryConnect("outside", host.ipv4, 22, 2_000)).toBe("open");
  });

  test("refresh finds a rule deleted by hand, and up puts it back", async () => {
    await host.run(["nft", "flush", "chain", "inet", "knockgate_edge", "ssh_door"]);
    expect((await stack.refresh(listen)).summary.resourceChanges).toEqual({ same: 2, update: 1 });
    expect((await stack.up(listen)).summary.resourceChanges).toEqual({ same: 2, update: 1 });
  });

  test("a wrong policy fails in preview with all its findings", async () => {
    declared = [{ tcp: 22 }, { tcp: 70_000, udp: 1 }];
    const failure = await stack.preview(listen).then(
      () => "it was accepted",
      (error: unknown) => `${error}`,
    );
    declared = otherSteps;
    for (const index of [0, 1]) expect(failure).toContain(`policy.gates[0].knock.steps[${index}].tcp`);
  });

  test("no secret stands in the state, its backups, its history, or in what was printed", async () => {
    const secrets = [...ports, ...splitKey(lab.privateKey)];
    const file = join(lab.directory, "backend", ".pulumi", "stacks", "knockgate-lab", "lab.json");
    const text = await readFile(file, "utf8");
    expect(findSecrets(text, secrets)).toEqual([]);
    expect(await findSecretsBelow(join(lab.directory, "backend"), secrets)).toEqual([]);
    expect(findSecrets(printed + JSON.stringify(events), secrets)).toEqual([]);
    const { resources } = JSON.parse(text).checkpoint.latest;
    const { inputs, outputs } = resources.find((one: { type: string }) => one.type.endsWith(":Ruleset"));
    const sealed = expect.objectContaining({ ciphertext: expect.any(String) });
    for (const held of [inputs, outputs]) expect(held).toMatchObject({ sealed });
  });

  test.each([
    ["TypeScript", false],
    ["another language", true],
  ])("a program that turns to %s takes the gate over: nothing is loaded, and it stays", async (_, remote) => {
    const table = await listGate(host);
    isRemote = remote;
    const { summary, stdout } = await stack.up(listen);
    expect(summary.resourceChanges).toEqual({ same: 2, create: 1, delete: 1 });
    expect(stdout).toContain("not touched, because it now belongs to another resource");
    expect(stdout).not.toContain("4/6 load");
    expect(await listGate(host)).toBe(table);
  });

  test("destroy leaves the firewall byte for byte as it was", async () => {
    await stack.destroy(listen);
    expect(await host.ruleset()).toBe(before);
  });
});
