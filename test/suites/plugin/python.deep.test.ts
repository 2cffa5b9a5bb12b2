import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { sendKnock, tryConnect } from "../../../lab/packets";
import { version } from "../../../package.json";
import { slotAt, tokenOf } from "../../../src/policy/token";
import { hasPython, python, sdkGenerator } from "../../../tools/setup/python-place.mjs";
import { findSecrets, findSecretsBelow, splitKey } from "../e2e/secrets";

const root = join(__dirname, "..", "..", "..");
const adaKey = "kFq2mZ0w7Jc4Yt9XvB1sLd6RhN3uPeGa8oTiWyKxMbQ";

let lab: Lab;
let host: LabHost;
let run: ChildProcessWithoutNullStreams | undefined;

beforeAll(async () => {
  lab = await openLab({ hosts: 1, clients: 1 });
  [host] = lab.hosts as [LabHost];
});

afterAll(async () => {
  run?.kill();
  await lab?.close();
});

/** Starts the program of examples/python with the package that is generated from the schema. */
function startProgram(backend: string): ChildProcessWithoutNullStreams {
  const [project, generated] = [join(lab.directory, "project"), join(lab.directory, "generated")];
  for (const folder of [project, backend]) mkdirSync(folder);
  execFileSync(sdkGenerator, [join(root, "dist/pulumi/plugin/schema.json"), generated]);
  // What pip would write. The package asks for its own version.
  const metadata = join(generated, `pulumi_knockgate-${version}.dist-info`);
  mkdirSync(metadata);
  const about = `Metadata-Version: 2.1\nName: pulumi_knockgate\nVersion: ${version}\n`;
  writeFileSync(join(metadata, "METADATA"), about);
  const settings = { name: "knockgate-lab", runtime: "python", backend: { url: `file://${backend}` } };
  writeFileSync(join(project, "Pulumi.yaml"), JSON.stringify({ ...settings, packages: { knockgate: root } }));
  const env = { ...process.env, PYTHONPATH: generated, PULUMI_CONFIG_PASSPHRASE: "only for the lab" };
  return spawn(python, [join(__dirname, "run-program.py"), project, join(root, "examples/python")], { env });
}

// Preparing it needs Go and pip. `KNOCKGATE_DEEP=1 node tools/setup.mjs --rootfs` prints what is missing.
test.skipIf(!hasPython())("examples/python gates a host and, destroyed, leaves it as it was", async () => {
  const backend = join(lab.directory, "backend");
  const started = startProgram(backend);
  run = started;
  let shown = "";
  started.stderr.on("data", (text) => {
    shown += text;
  });
  const ended = new Promise<number | null>((resolve) => started.once("close", resolve));
  const config = {
    host: host.ipv4,
    user: "ops",
    hostKey: host.hostKey,
    privateKey: { secret: lab.privateKey },
    adaKey: { secret: adaKey },
  };
  started.stdin.write(`${JSON.stringify(config)}\n`);
  const up = new Promise<string>((resolve) => createInterface(started.stdout).once("line", resolve));
  const failure = ended.then((code) => {
    throw new Error(`the program ended with ${code}: ${shown}`);
  });
  failure.catch(() => undefined);
  const outputs = JSON.parse(await Promise.race([up, failure]));
  expect(outputs).toEqual({
    digest: { secret: true, value: expect.stringMatching(/^[0-9a-f]{64}$/) },
    knock: {
      secret: true,
      value: [expect.objectContaining({ gate: "ssh", token: { udp: 62_201 }, user: "ada", key: adaKey })],
    },
  });
  expect(shown).toContain(`edge on ${host.ipv4}:22: 6/6 confirm`);
  const [client] = lab.clients;
  if (client === undefined) throw new Error("the lab has no client");
  expect(await tryConnect(client, host.ipv4, 22, 600)).toBe("silent");
  // The deployer has used the tokens of the first slots.
  const slot = slotAt(Date.now(), 60) + 10;
  const payload = tokenOf(adaKey, { policy: "edge", gate: "ssh", host: host.ipv4, slot });
  await sendKnock(client, { to: host.ipv4, steps: [{ udp: 62_201, payload }] });
  expect(await tryConnect(client, host.ipv4, 22, 2_000)).toBe("open");
  const secrets = [adaKey, ...splitKey(lab.privateKey)];
  expect(await findSecretsBelow(backend, secrets)).toEqual([]);
  started.stdin.write("\n");
  expect(await ended).toBe(0);
  expect(findSecrets(shown, secrets)).toEqual([]);
  expect(await host.ruleset()).toBe("");
});
