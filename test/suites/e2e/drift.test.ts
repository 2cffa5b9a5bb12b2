import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { openStack } from "../../../lab/stack";
import { type Declaration, declare, gateProgram } from "./declaration";
import { findSecrets, findSecretsBelow, splitKey } from "./secrets";

const steps = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 9633 }];
const deafSteps = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 9755 }];
const ports = ["7411", "8522", "9633", "9755"];

// Each test runs the engine five times.
vi.setConfig({ testTimeout: 180_000 });

const isDeep = process.env["KNOCKGATE_DEEP"] === "1";

/** What happens to a host, and the beginning of the line that reports it. */
type Case = readonly [string, string, string];

/** test/suites/host/drift-repair.test.ts has their like without the engine. */
const deepCases: readonly Case[] = [
  ["all rules of the host were flushed", "nft flush ruleset", "gone: the kernel has nothing of this policy;"],
  [
    "all of it was deleted",
    "nft delete table inet knockgate_edge; rm -r /var/lib/knockgate",
    "gone: the host has nothing of this policy any more",
  ],
];

const backends: readonly { readonly backend: string; readonly cases: readonly Case[] }[] = [
  {
    backend: "nftables",
    cases: [
      [
        "a rule was deleted",
        "nft flush chain inet knockgate_edge ssh_door",
        'changed outside: chain ssh_door: - counter name "ssh_dropped" drop',
      ],
      ...(isDeep ? deepCases : []),
    ],
  },
  {
    backend: "iptables",
    cases: [
      [
        "a rule was put before the gate's",
        "ip6tables -I INPUT -p tcp --dport 22 -j ACCEPT",
        "preceding rule: IPv6 packets meet this rule before the gate: -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT",
      ],
      ["its files were deleted", "rm -r /var/lib/knockgate", "gone: the host's files of this policy;"],
    ],
  },
];
// test/suites/host/drift-repair.test.ts runs both backends, without the engine.
const played = backends.filter(({ backend }) => isDeep || backend === "nftables");

describe.sequential.each(played)("drift of a gate of the backend $backend", ({ backend, cases }) => {
  let lab: Lab;
  let host: LabHost;
  let stack: Stack;
  let declared: Declaration;
  let printed = "";
  const listen = { onOutput: (text: string) => (printed += text), color: "never" } as const;

  beforeAll(async () => {
    lab = await openLab({ hosts: 1 });
    [host] = lab.hosts as [LabHost];
    declared = { ...declare(host, lab.privateKey, steps), backend };
    stack = await openStack(lab.directory, gateProgram(declared));
    await stack.up(listen);
  });
  afterAll(() => lab?.close());

  /** Checks that `refresh` and `preview --diff` say this, that `up` repairs it, and that nothing is left to do. */
  async function repair(said: string): Promise<void> {
    const refreshed = await stack.refresh(listen);
    expect(refreshed.summary.resourceChanges).toEqual({ same: 2, update: 1 });
    expect(refreshed.stdout).toContain(`edge on ${host.ipv4}:22: drift: ${said}`);
    const previewed = await stack.preview({ ...listen, diff: true });
    expect(previewed.changeSummary).toEqual({ same: 2, update: 1 });
    expect(previewed.stdout).toContain("~ drift");
    expect(previewed.stdout).toContain(`]: ${JSON.stringify(said).slice(0, -1)}`);
    expect((await stack.up(listen)).summary.resourceChanges).toEqual({ same: 2, update: 1 });
    expect((await stack.preview(listen)).changeSummary).toEqual({ same: 3 });
    expect((await stack.refresh(listen)).summary.resourceChanges).toEqual({ same: 3 });
  }

  test("is not found where nothing happened", async () => {
    expect((await stack.refresh(listen)).summary.resourceChanges).toEqual({ same: 3 });
    expect((await stack.preview(listen)).changeSummary).toEqual({ same: 3 });
  });

  test.each(cases)("is in refresh and preview where %s, and up repairs it", async (_what, damage, said) => {
    await host.run(["sh", "-c", damage]);
    await repair(said);
  });

  test("is in refresh and preview where a change was undone, and up clears it", async () => {
    const eaten = await lab.swallow({ to: host, protocol: "tcp", port: 9755 });
    declared.steps = deafSteps;
    await expect(stack.up(listen)).rejects.toThrow(/NOT_CONFIRMED/);
    await eaten.restore();
    declared.steps = steps;
    await repair(
      "undone: the host has put back what it had before the last change: the deployer could not prove it",
    );
  });

  test("shows no secret in what is printed or kept", async () => {
    const secrets = [...ports, ...splitKey(lab.privateKey)];
    const state = join(lab.directory, "backend", ".pulumi", "stacks", "knockgate-lab", "lab.json");
    const text = await readFile(state, "utf8");
    expect(text).toContain('"drift":[]');
    expect(findSecrets(text, secrets)).toEqual([]);
    expect(await findSecretsBelow(join(lab.directory, "backend"), secrets)).toEqual([]);
    expect(findSecrets(printed, secrets)).toEqual([]);
  });
});
