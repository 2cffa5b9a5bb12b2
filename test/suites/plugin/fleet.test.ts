import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { sendKnock, tryConnect } from "../../../lab/packets";
import { findSecrets, splitKey } from "../e2e/secrets";
import { type RunningPlugin, startPlugin } from "./running-plugin";
import type { PackageSchema } from "./schema-types";
import { SmallEngine, secret, type Wire } from "./small-engine";

const root = join(__dirname, "..", "..", "..");
const steps = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 9633 }];

let lab: Lab;
let hosts: readonly [LabHost, LabHost];
let plugin: RunningPlugin;
let engine: SmallEngine;

beforeAll(async () => {
  lab = await openLab({ hosts: 2, clients: 1 });
  hosts = lab.hosts as [LabHost, LabHost];
  plugin = await startPlugin();
  engine = new SmallEngine(plugin.client);
  await engine.start();
});

afterAll(async () => {
  engine?.stop();
  await plugin?.stop();
  await lab?.close();
});

/** The properties that the schema marks as secret. */
function listSecrets(type: string): readonly string[] {
  const schema: PackageSchema = JSON.parse(
    readFileSync(join(root, "dist/pulumi/plugin/schema.json"), "utf8"),
  );
  const properties = Object.entries(schema.resources[type]?.properties ?? {});
  return properties.flatMap(([name, { secret: isSecret }]) => (isSecret === true ? [name] : [])).sort();
}

test("the plugin constructs a fleet, whose hosts hold secrets deep within, wave by wave", async () => {
  const [one, two] = hosts.map(({ ipv4, hostKey }): Wire => {
    return { connection: { host: ipv4, hostKey, privateKey: secret(lab.privateKey) } };
  });
  const gate = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: secret(steps) }, openForSeconds: 2 };
  const made = await engine.construct("knockgate:index:KnockFleet", "web", {
    hosts: { one, two },
    connection: { user: "ops" },
    policy: { name: "edge", gates: [gate] },
    rollout: { waves: [{ count: 1 }] },
  });
  const types = engine.registrations.map(({ type }) => type.replace("knockgate:index:", ""));
  expect(types).toEqual(["KnockFleet", "Ruleset", "Wave", "Ruleset", "Wave"]);
  for (const { type, custom, secretOutputs } of engine.registrations) {
    if (custom) expect(listSecrets(type)).toEqual([...secretOutputs].sort());
  }
  const gated = {
    ruleset: expect.stringMatching(/tcp dport <ssh-1:[0-9a-f]{6}>/),
    digest: secret(expect.stringMatching(/^[0-9a-f]{64}$/)),
    knock: secret([expect.objectContaining({ gate: "ssh", steps })]),
  };
  expect(made.state["hosts"]).toMatchObject({ one: gated, two: gated });
  const changed = (host: string) => ({ hosts: [expect.objectContaining({ host, result: "changed" })] });
  expect(made.state["summary"]).toMatchObject([changed("one"), changed("two")]);
  const [client] = lab.clients;
  if (client === undefined) throw new Error("the lab has no client");
  for (const { ipv4 } of hosts) {
    expect(await tryConnect(client, ipv4, 22, 600)).toBe("silent");
    await sendKnock(client, { to: ipv4, steps });
    expect(await tryConnect(client, ipv4, 22, 2_000)).toBe("open");
  }
  const told = JSON.stringify([plugin.log, plugin.printed]);
  const ports = steps.flatMap((step) => Object.values(step).map(String));
  expect(findSecrets(told, [...ports, ...splitKey(lab.privateKey)])).toEqual([]);
});
