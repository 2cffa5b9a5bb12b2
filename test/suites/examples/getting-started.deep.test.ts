import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commandEnvironment } from "../../../lab/command";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { tryConnect } from "../../../lab/packets";
import { findPulumiCli, pulumiEnvironment } from "../../../tools/setup/pulumi-cli.mjs";
import { serveRegistry } from "../hosts/deployers/registry";
import { unpackInto } from "../package/pack";
import { type PersonShell, readCommands, startShell } from "./played-page";

const page = "docs/getting-started.md";
const root = join(__dirname, "..", "..", "..");
const commandMs = 300_000;
const sectionMs = 900_000;

let lab: Lab;
let host: LabHost;
let registry: Awaited<ReturnType<typeof serveRegistry>>;
let shell: PersonShell;

beforeAll(async () => {
  lab = await openLab({ hosts: 1 });
  [host] = lab.hosts as [LabHost];
  const inside = (name: string) => {
    mkdirSync(join(lab.directory, name), { recursive: true });
    return join(lab.directory, name);
  };
  const packed = inside("packed");
  unpackInto(packed);
  registry = await serveRegistry([packed, join(root, "node_modules")]);
  const home = inside("home");
  mkdirSync(join(home, ".ssh"), { mode: 0o700 });
  writeFileSync(join(home, ".ssh", "id_ed25519"), lab.privateKey, { mode: 0o600 });
  const global = inside("global");
  const { PATH: _path, ...quiet } = pulumiEnvironment();
  // The first folder has what a released CLI brings along.
  const bin = join(root, "test/suites/hosts/deployers/bin");
  const folders = [bin, join(global, "bin"), ...[findPulumiCli() ?? "", process.execPath].map(dirname)];
  shell = startShell(home, {
    ...quiet,
    ...commandEnvironment,
    PATH: [...folders, commandEnvironment.PATH].join(delimiter),
    // As somebody at a terminal who answers yes.
    PULUMI_SKIP_CONFIRMATIONS: "true",
    npm_config_registry: registry.url,
    npm_config_prefix: global,
    npm_config_audit: "false",
  });
}, sectionMs);

afterAll(async () => {
  shell?.end();
  registry?.stop();
  await lab?.close();
});

/** Plays a section for this host. `expected` has the exit codes other than 0. */
async function playSection(
  heading: string,
  expected: Readonly<Record<string, number>> = {},
): Promise<string> {
  let all = "";
  for (const written of readCommands(page, heading)) {
    const command = written.replaceAll("203.0.113.7", host.ipv4);
    if (/^ssh edge/.test(command)) await shutDoor();
    const { code, printed } = await shell.play(command, commandMs);
    expect({ command, code, printed }).toMatchObject({ code: expected[written] ?? 0 });
    all += printed;
  }
  return all;
}

/** So that what comes next has to knock. */
async function shutDoor(): Promise<void> {
  await host.run(["nft", "flush", "set", "inet", "knockgate_edge", "ssh_open_v4"]);
  expect(await tryConnect("outside", host.ipv4, 22, 700)).toBe("silent");
}

function countLogins(): number {
  return host.sshdLog().split("Accepted publickey for ops").length - 1;
}

describe.sequential("docs/getting-started.md, command by command", () => {
  test("leads from an empty folder to ssh through a gate that tokens open", {
    timeout: sectionMs,
  }, async () => {
    const closed = "ssh -o ConnectTimeout=5 ops@203.0.113.7";
    const printed = await playSection("From an empty folder to `ssh edge`", { [closed]: 255 });
    expect(printed).toContain(`edge on ${host.ipv4}:22: 6/6 confirm`);
    expect(printed).toContain(`ssh: connect to host ${host.ipv4} port 22: Connection timed out`);
  });

  test("lets another person in by a file, and takes that person away", { timeout: sectionMs }, async () => {
    const printed = await playSection("Let another person in, and take them away");
    expect(printed).toMatch(/ben/);
    const logins = countLogins();
    await shutDoor();
    const { code } = await shell.play("ssh edge-ben", commandMs);
    expect(code).toBe(255);
    expect(countLogins()).toBe(logins);
  });

  test("does the same by a sequence", { timeout: sectionMs }, async () => {
    const printed = await playSection("The same by a sequence");
    expect(printed).toContain("6/6 confirm");
    await shell.play("pulumi destroy", commandMs);
    expect(await host.ruleset()).toBe("");
  });
});
