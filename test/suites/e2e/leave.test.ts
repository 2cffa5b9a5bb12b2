import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { openStack } from "../../../lab/stack";
import { listGate } from "../host/inspection";
import { type Declaration, declare, gateProgram } from "./declaration";
import { findSecrets, splitKey } from "./secrets";

const steps = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 9633 }];
const ports = ["7411", "8522", "9633"];

// Each test runs the engine several times.
vi.setConfig({ testTimeout: 180_000 });

let lab: Lab;
/** All output of the engine so far. */
let printed = "";
const listen = { onOutput: (text: string) => (printed += text), color: "never" } as const;

beforeAll(async () => {
  lab = await openLab({ hosts: 5 });
});
afterAll(() => lab?.close());

function claim(index: number, more: Partial<Declaration> = {}): { host: LabHost; declared: Declaration } {
  const host = lab.hosts[index] as LabHost;
  // A stack for each host, in one backend. Few dials, because some hosts are gone.
  return {
    host,
    declared: { ...declare(host, lab.privateKey, steps), dialErrorLimit: 0, perDialTimeout: 5, ...more },
  };
}

function open(declared: Declaration, name: string): Promise<Stack> {
  return openStack(lab.directory, gateProgram(declared), name);
}

async function listTable(host: LabHost): Promise<string> {
  return listGate(host);
}

describe("leaving", () => {
  test("one option removes a gate from the state without its host, and the log says how to remove the gate there", async () => {
    const { host, declared } = claim(0);
    const stack = await open(declared, "gone");
    await stack.up(listen);
    const table = await listTable(host);
    const gone = await lab.swallow({ to: host, protocol: "any" });

    const mark = printed.length;
    await expect(stack.destroy(listen)).rejects.toThrow(
      /policy edge on [0-9.]+ was not removed: .*`deleteUnreachable: true`.*\[UNREACHABLE\]/s,
    );
    // The diagnostics have the message once. The provider's server itself only says what failed.
    const said = printed.slice(mark).split("Diagnostics:")[1] ?? "";
    expect(said.match(/was not removed/g)).toHaveLength(1);
    expect(said).toContain("edge: failed with UNREACHABLE; the error says why");
    expect(said).not.toMatch(/^\s+at /m);
    declared.deleteUnreachable = true;
    const set = await stack.up(listen);
    expect(set.summary.resourceChanges).toEqual({ same: 2, update: 1 });
    expect(set.stdout).not.toContain("1/6 connect");
    const { stdout } = await stack.destroy(listen);
    expect(stdout).toContain(
      `warning: edge on ${host.ipv4}: not removed from the host, only from the state:`,
    );
    expect((await stack.exportStack()).deployment.resources ?? []).toEqual([]);

    await gone.restore();
    expect(await listTable(host)).toBe(table);
    const [, command = ""] = /run there as root: (sh \/var\/lib\/knockgate\/.*)/.exec(stdout) ?? [];
    expect((await host.run(["sh", "-c", command])).stdout).toBe("removed=yes\n");
    expect([await host.ruleset(), (await host.run(["ls", "-A", "/var/lib"])).stdout]).toEqual(["", ""]);
  });

  test("a host that is gone is left, too, when the program no longer declares the gate", async () => {
    const { host, declared } = claim(4);
    let program: () => Promise<Record<string, unknown>> = gateProgram(declared);
    const stack = await openStack(lab.directory, () => program(), "dropped");
    await stack.up(listen);
    await lab.swallow({ to: host, protocol: "any" });
    program = async () => ({});
    await expect(stack.up(listen)).rejects.toThrow(/KNOCKGATE_DELETE_UNREACHABLE=true.*\[UNREACHABLE\]/s);
    stack.workspace.envVars["KNOCKGATE_DELETE_UNREACHABLE"] = "true";
    const { stdout } = await stack.up(listen);
    expect(stdout).toContain("not removed from the host, only from the state:");
    expect((await stack.up(listen)).summary.resourceChanges).toEqual({ same: 1 });
  });

  test("a host whose gate is retained keeps it, and is not asked", async () => {
    const { host, declared } = claim(1);
    const program = async () => {
      pulumi.runtime.registerStackTransformation(({ type, props, opts }) => {
        // An option of the gate itself: the engine passes it on to the gate's children.
        return type === "knockgate:index:KnockGate"
          ? { props, opts: { ...opts, retainOnDelete: true } }
          : undefined;
      });
      return gateProgram(declared)();
    };
    const stack = await openStack(lab.directory, program, "retained");
    await stack.up(listen);
    const table = await listTable(host);
    expect((await stack.destroy(listen)).stdout).not.toContain("the gate is removed");
    expect(await listTable(host)).toBe(table);
    // A later gate on that host works.
    await (await open(declared, "retained")).up(listen);
    await (await open(declared, "retained")).destroy(listen);
    expect(await listTable(host)).toBe("");
  });

  test("a host that is there loses its gate, whatever the option says", async () => {
    const { host, declared } = claim(1, { deleteUnreachable: true });
    const stack = await open(declared, "there");
    await stack.up(listen);
    const { stdout } = await stack.destroy(listen);
    expect(stdout).toContain("the gate is removed, and nothing else");
    expect([await host.ruleset(), (await host.run(["ls", "-A", "/var/lib"])).stdout]).toEqual(["", ""]);
  });
});

describe("adopting", () => {
  test("another stack adopts an equal policy unchanged, and changes it only when it may", async () => {
    const { host, declared } = claim(2);
    const first = await open(declared, "first");
    await first.up(listen);
    const table = await listTable(host);

    const { declared: theirs } = claim(2, { openForSeconds: 4 });
    const second = await open(theirs, "second");
    await expect(second.up(listen)).rejects.toThrow(/set `adopt: true`.*\[OWNED_BY_ANOTHER\]/s);
    expect(await listTable(host)).toBe(table);

    theirs.openForSeconds = declared.openForSeconds;
    const adopted = await second.up(listen);
    expect(adopted.stdout).toContain(
      "it now belongs to the owner of this change, and its open doors stay open",
    );
    expect(adopted.stdout).not.toContain("4/6 load");

    declared.openForSeconds = 4;
    await expect(first.up(listen)).rejects.toThrow(/OWNED_BY_ANOTHER/);
    declared.adopt = true;
    await first.up(listen);
    expect(await listTable(host)).not.toBe(table);
    // The second one's gate is none of its own by now.
    expect((await second.destroy(listen)).stdout).toContain("not touched");
    expect(await listTable(host)).not.toBe("");
    await first.destroy(listen);
    expect(await listTable(host)).toBe("");
  });

  test("a first up whose state was lost succeeds when it is run again, also with a changed program", async () => {
    const { host, declared } = claim(3);
    const stack = await open(declared, "lost");
    const nothing = await stack.exportStack();
    await stack.up(listen);
    const table = await listTable(host);

    await stack.importStack(nothing);
    expect((await stack.up(listen)).summary.resourceChanges).toMatchObject({ create: 3 });
    expect(await listTable(host)).toBe(table);

    await stack.importStack(nothing);
    declared.openForSeconds = 4;
    expect((await stack.up(listen)).summary.resourceChanges).toMatchObject({ create: 3 });
    expect(await listTable(host)).not.toBe(table);
    await stack.destroy(listen);
    expect(await listTable(host)).toBe("");
  });
});

test("no secret was printed", () => {
  expect(findSecrets(printed, [...ports, ...splitKey(lab.privateKey)])).toEqual([]);
});
