import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Deployment, Stack } from "@pulumi/pulumi/automation";
import type { StepArgs } from "knockgate";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { tryConnect } from "../../../lab/packets";
import { openStack } from "../../../lab/stack";
import { listPlaceholders, replaceInState } from "../../fixtures/first-release/placeholders";
import { newSteps, type OldProgram, oldPrograms, oldSteps } from "../../fixtures/first-release/programs";
import { waitUntil } from "../host/deployment";

const fixtures = join(__dirname, "..", "..", "fixtures", "first-release");
const script = readFileSync(join(fixtures, "host.sh"), "utf8");

/** What the first release keeps on a host. */
interface Kept {
  /** The places of its script. */
  readonly scripts: readonly string[];
  /** Text by path. */
  readonly files: Readonly<Record<string, string>>;
  readonly links: Readonly<Record<string, string>>;
}

function readFixture(name: string, file: string): unknown {
  return JSON.parse(readFileSync(join(fixtures, name, file), "utf8"));
}

/** Puts a host into the state in which the first release left it, and runs that release's boot command. */
async function leaveAsReleased(host: LabHost, { scripts, files, links }: Kept): Promise<void> {
  const folder = "/var/lib/knockgate/edge";
  const put = async (path: string, text: string) => {
    const write = 'umask 077; mkdir -p "$(dirname "$1")" && cat >"$1"';
    await host.run(["sh", "-c", write, "sh", `${folder}/${path}`], { stdin: text });
  };
  for (const [path, text] of Object.entries(files)) await put(path, text);
  for (const path of scripts) await put(path, script);
  for (const [path, target] of Object.entries(links))
    await host.run(["ln", "-s", target, `${folder}/${path}`]);
  await host.run(["sh", `${folder}/host.sh`, "boot", "edge"]);
}

const theirs = `
  nft add table inet site
  nft add chain inet site input '{ type filter hook input priority filter; policy accept; }'
  nft add rule inet site input tcp dport 8080 accept
  iptables -A INPUT -p tcp --dport 8080 -j ACCEPT
  ip6tables -A INPUT -p tcp --dport 8080 -j ACCEPT
`;

/** A source whose door is open longer than an update takes. */
const visitor = "203.0.113.77";

async function openDoor(host: LabHost, name: OldProgram["name"]): Promise<void> {
  if (name === "nftables") {
    const element = `inet knockgate_edge ssh_open_v4 { ${visitor} timeout 300s }`;
    await host.run(["nft", "-f", "-"], { stdin: `add element ${element}\n` });
  } else {
    await host.run(["sh", "-c", `echo +${visitor} >${openList}`]);
  }
  expect(await listOpen(host, name)).toContain(visitor);
}

async function listOpen(host: LabHost, name: OldProgram["name"]): Promise<string> {
  const list = ["nft", "list", "set", "inet", "knockgate_edge", "ssh_open_v4"];
  return (await host.run(name === "nftables" ? list : ["cat", openList])).stdout;
}

const openList = "/proc/net/xt_recent/kg_edge_ssh_open";

vi.setConfig({ testTimeout: 180_000, maxConcurrency: 2 });

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ hosts: 3 });
});
afterAll(() => lab?.close());

describe.concurrent.each(oldPrograms)("a stack and a host of the first release: $name", (program) => {
  let steps: StepArgs[] = oldSteps;
  let printed = "";
  const listen = { onOutput: (text: string) => (printed += text), color: "never" } as const;

  async function open(): Promise<Stack> {
    const stack = await openStack(join(lab.directory, program.name), () => program.write(lab, steps)());
    const state = replaceInState(readFixture(program.name, "state.json"), listPlaceholders(lab));
    // The engine encrypts secrets with this stack's own key.
    const { deployment: empty, version } = await stack.exportStack();
    const deployment = { ...(state as Deployment).deployment, secrets_providers: empty.secrets_providers };
    await stack.importStack({ version, deployment });
    return stack;
  }

  test("the same program finds no drift, keeps open doors and rotates the knock, and destroy leaves what was there before", async () => {
    const host = program.find(lab);
    await host.run(["sh", "-c", theirs]);
    const before = await host.ruleset();
    await leaveAsReleased(host, readFixture(program.name, "host.json") as Kept);
    const stack = await open();
    expect(await tryConnect("outside", host.ipv4, 22, 600)).toBe("silent");

    // A release that changes the shape of the ruleset updates it in place: `{ same: 2, update: 1 }`.
    const changes = { same: 3 };
    expect((await stack.preview(listen)).changeSummary).toEqual(changes);
    expect((await stack.refresh(listen)).summary.resourceChanges).toEqual(changes);
    await openDoor(host, program.name);
    expect((await stack.up(listen)).summary.resourceChanges).toEqual(changes);
    expect(await listOpen(host, program.name)).toContain(visitor);
    expect((await stack.preview(listen)).changeSummary).toEqual({ same: 3 });
    // The refresh had to knock, so a door is open.
    await waitUntil("the door is shut again", 10_000, async () => {
      return (await tryConnect("outside", host.ipv4, 22, 600)) === "silent";
    });

    // The proof has opened a door. Left open, it would keep the next proof from seeing the gate closed.
    if (program.name === "nftables") {
      await host.run(["nft", "flush", "set", "inet", "knockgate_edge", "web_open_v4"]);
    }
    steps = newSteps;
    const { outputs, summary } = await stack.up(listen);
    expect(summary.resourceChanges).toEqual({ same: 2, update: 1 });
    expect(outputs["knock"]?.value[0]).toMatchObject({ gate: "ssh", steps: newSteps });
    expect((await stack.refresh(listen)).summary.resourceChanges).toEqual({ same: 3 });
    expect([...printed.matchAll(/: drift: (\w+)/g)]).toEqual([]);

    await stack.destroy(listen);
    expect(await host.ruleset()).toBe(before);
    expect((await host.run(["find", "/var/lib", "-name", "*knockgate*"])).stdout).toBe("");
  });
});
