import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LabHost } from "../lab/host";
import { type Lab, openLab } from "../lab/lab";
import { tryConnect } from "../lab/packets";
import { openStack } from "../lab/stack";

const root = join(__dirname, "..", "..");

let lab: Lab;
let host: LabHost;

beforeAll(async () => {
  lab = await openLab({ hosts: 1 });
  [host] = lab.hosts as [LabHost];
});

afterAll(() => lab?.close());

/** The client's commands as the README has them, for this host and this knock; ssh itself is left to the test. */
function readmeKnock(address: string): string {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const commands = /```sh\n(HOST=[\s\S]*?)ssh ops/.exec(readme)?.[1] ?? "exit 1";
  return commands.replace(/^HOST=.*/, `HOST=${address}`).concat("true"); // a refused step is no failure
}

test("examples/single-host gates a host that pulumi config names, and the README's client opens it", async () => {
  const steps = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 6633 }];
  const stack = await openStack(lab.directory, () => import("../../examples/single-host/index.js"));
  await stack.setAllConfig({
    host: { value: host.ipv6 },
    user: { value: "ops" },
    hostKey: { value: host.hostKey },
    privateKey: { value: lab.privateKey, secret: true },
    steps: { value: JSON.stringify(steps), secret: true },
  });
  const { outputs, summary } = await stack.up();
  expect(summary.resourceChanges).toEqual({ create: 3 });
  expect(outputs["knock"]).toMatchObject({ secret: true, value: [{ gate: "ssh", steps }] });
  // The deployer came by IPv6: its door is open there, and the one for IPv4 never was.
  expect(await tryConnect("outside", host.ipv4, 22, 600)).toBe("silent");
  execFileSync("bash", ["-c", readmeKnock(host.ipv4)], { stdio: "ignore" });
  expect(await tryConnect("outside", host.ipv4, 22, 2_000)).toBe("open");
  await stack.destroy();
  expect(await host.ruleset()).toBe("");
});

test.each([
  { what: "the checkout's own project", folder: root, main: "examples/single-host/index.ts" },
  { what: "the example's project", folder: join(root, "examples/single-host"), main: "index.ts" },
])("pulumi's TypeScript loader takes $what", ({ folder, main }) => {
  const loader = join(__dirname, "load-program.cjs");
  const { stdout, stderr } = spawnSync(process.execPath, [loader, folder, main], { encoding: "utf8" });
  expect({ stdout, stderr }).toEqual({ stdout: "ruleset digest knock\n", stderr: "" });
});
