import { setTimeout as pause } from "node:timers/promises";
import type { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import {
  ConfigureRequest,
  type ConfigureResponse,
  DiffResponse,
  GetSchemaRequest,
  type GetSchemaResponse,
} from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabHost } from "../../../lab/host";
import { type Lab, openLab } from "../../../lab/lab";
import { sendKnock, tryConnect } from "../../../lab/packets";
import { version } from "../../../package.json";
import { findSecrets, splitKey } from "../e2e/secrets";
import { listGate } from "../host/inspection";
import { ask, type RunningPlugin, startPlugin } from "./running-plugin";
import { SmallEngine, secret, type Wire } from "./small-engine";

const component = "knockgate:index:KnockGate";
const urn = `urn:pulumi:lab::knockgate-lab::${component}$knockgate:index:Ruleset::edge`;
const steps = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 9633 }];
const otherSteps = [{ tcp: 7411 }, { udp: 8744 }, { tcp: 9633 }];
const ports = ["7411", "8522", "8744", "9633"];
const openForSeconds = 2;
const origin = "organization/another";
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

let lab: Lab;
let host: LabHost;
let before: string;
let plugin: RunningPlugin;
let engine: SmallEngine;
/** The resource's state, as the engine passes it from one test to the next. */
let id: string;
let inputs: Wire;
let state: Wire;

beforeAll(async () => {
  lab = await openLab({ hosts: 1 });
  [host] = lab.hosts as [LabHost];
  before = await host.ruleset();
  plugin = await startPlugin();
  engine = new SmallEngine(plugin.client);
  await engine.start();
});

afterAll(async () => {
  engine?.stop();
  await plugin?.stop();
  await lab?.close();
});

function declare(knocked: readonly object[]): Wire {
  const gate = { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: secret(knocked) }, openForSeconds };
  return {
    connection: { host: host.ipv4, user: "ops", hostKey: host.hostKey, privateKey: secret(lab.privateKey) },
    policy: { name: "edge", gates: [gate] },
  };
}

async function waitUntilClosed(): Promise<void> {
  await pause(openForSeconds * 1_000 + 700);
  expect(await tryConnect("outside", host.ipv4, 22, 600)).toBe("silent");
}

/** The table without parts that change by themselves. */
async function listTable(): Promise<string> {
  return listGate(host);
}

/** The properties with each marked secret replaced. */
function showPlain(properties: Wire): string {
  const marked = Object.keys(secret(""))[0] ?? "";
  return JSON.stringify(properties, (_name, value) =>
    typeof value === "object" && value !== null && marked in value ? "[secret]" : value,
  );
}

describe.sequential("the plugin's process", () => {
  test("reports its version, and accepts secrets", async () => {
    const told = await ask<Empty, PluginInfo>(
      (...asked) => plugin.client.getPluginInfo(...asked),
      new Empty(),
    );
    expect(told.getVersion()).toBe(version);
    const configured = await ask<ConfigureRequest, ConfigureResponse>(
      (...asked) => plugin.client.configure(...asked),
      new ConfigureRequest(),
    );
    expect(configured.getAcceptsecrets()).toBe(true);
  });

  test("gives its schema", async () => {
    const answer = await ask<GetSchemaRequest, GetSchemaResponse>(
      (...asked) => plugin.client.getSchema(...asked),
      new GetSchemaRequest(),
    );
    const schema = JSON.parse(answer.getSchema());
    expect(schema).toMatchObject({ name: "knockgate", version });
    expect(schema.resources[component]).toMatchObject({ isComponent: true });
  });

  test("constructs the component, whose resource gates the host, with a log line for each of the six steps", async () => {
    const made = await engine.construct(component, "edge", declare(steps));
    expect(made.urn).toBe(`urn:pulumi:lab::knockgate-lab::${component}::edge`);
    const [gate, ruleset] = engine.registrations;
    expect(gate).toMatchObject({ type: component, custom: false, inputs: {} });
    expect(ruleset).toMatchObject({ type: "knockgate:index:Ruleset", custom: true, version });
    expect(ruleset?.inputs["origin"]).toBe(`organization/${made.urn}`);
    expect(ruleset?.secretOutputs).toEqual(["sealed"]);
    const seen = ["1/6 connect", "2/6 stage", "3/6 arm", "4/6 load", "5/6 prove", "6/6 confirm"];
    for (const step of seen) {
      const message = expect.stringContaining(`edge on ${host.ipv4}:22: ${step}`);
      expect(plugin.log).toContainEqual({ urn, message });
    }
    await waitUntilClosed();
    await sendKnock("outside", { to: host.ipv4, steps });
    expect(await tryConnect("outside", host.ipv4, 22, 2_000)).toBe("open");
    expect(made.state).toMatchObject({
      ruleset: expect.stringMatching(/tcp dport <ssh-1:[0-9a-f]{6}>/),
      digest: secret(expect.stringMatching(/^[0-9a-f]{64}$/)),
      knock: secret([expect.objectContaining({ gate: "ssh", steps })]),
    });
  });

  test("refuses another program's gate of the same name, and leaves it alone", async () => {
    const table = await listTable();
    inputs = await engine.check(urn, {}, { ...declare(otherSteps), origin });
    await expect(engine.create(urn, inputs)).rejects.toThrow("[OWNED_BY_ANOTHER]");
    expect(await listTable()).toBe(table);
  });

  test("adopts an equal gate when it creates, with each secret marked", async () => {
    inputs = await engine.check(urn, {}, { ...declare(steps), origin, adopt: true });
    expect(inputs["sealed"]).toEqual(secret(expect.anything()));
    ({ id, state } = await engine.create(urn, inputs));
    const shown = ["counters", "drift", "reachedBy"];
    expect(Object.keys(state).sort()).toEqual([...shown, "sealed", "undoAfterSeconds"]);
    expect(state["sealed"]).toEqual(secret(expect.anything()));
    expect(findSecrets(showPlain(inputs), [...ports, ...splitKey(lab.privateKey)])).toEqual([]);
    expect(findSecrets(showPlain(state), [...ports, ...splitKey(lab.privateKey)])).toEqual([]);
  });

  test("checks a policy: reports all mistakes at once, and nothing about unknown values", async () => {
    const gate = { name: "Web!", protect: [{ tcp: "90-80" }], knock: { steps: [] } };
    const wrong = engine.check(
      urn,
      {},
      { ...declare(steps), policy: secret({ name: "edge", gates: [gate] }) },
    );
    await expect(wrong).rejects.toThrow(/policy\.gates\[0\]\.name.*\n.*protect\[0\]\.tcp.*\n.*knock\.steps/);
    const later = await engine.check(urn, {}, { ...declare(steps), policy: secret(unknown) });
    expect(later).toMatchObject({ ruleset: unknown });
  });

  test("finds no difference where there is none, an update for a new step or name, a replacement for another host", async () => {
    const none = await engine.diff(id, urn, state, inputs);
    expect(none).toMatchObject({ changes: DiffResponse.DiffChanges.DIFF_NONE, replacesList: [] });
    const given = { ...declare(steps), origin, adopt: true };
    const other = await engine.check(urn, inputs, { ...given, ...declare(otherSteps) });
    const some = await engine.diff(id, urn, state, other);
    expect(some).toMatchObject({ changes: DiffResponse.DiffChanges.DIFF_SOME, replacesList: [] });
    const { policy, connection } = declare(steps);
    const renamed = { ...given, policy: { ...(policy as Wire), name: "other" } };
    const named = await engine.diff(id, urn, state, await engine.check(urn, inputs, renamed));
    expect(named).toMatchObject({ changes: DiffResponse.DiffChanges.DIFF_SOME, replacesList: [] });
    const moved = { ...given, connection: { ...(connection as Wire), host: "203.0.113.77" } };
    const replaced = await engine.diff(id, urn, state, await engine.check(urn, inputs, moved));
    expect(replaced).toMatchObject({ replacesList: ["connection"], deletebeforereplace: false });
  });

  test("updates through the closed gate, which then opens for the new knock alone", async () => {
    await waitUntilClosed();
    inputs = await engine.check(urn, inputs, { ...declare(otherSteps), origin, adopt: true });
    state = await engine.update(id, urn, state, inputs);
    expect(state["sealed"]).toEqual(secret(expect.anything()));
    await waitUntilClosed();
    await sendKnock("outside", { to: host.ipv4, steps });
    expect(await tryConnect("outside", host.ipv4, 22, 600)).toBe("silent");
    await sendKnock("outside", { to: host.ipv4, steps: otherSteps });
    expect(await tryConnect("outside", host.ipv4, 22, 2_000)).toBe("open");
  });

  test("reads what the host really has", async () => {
    expect(await engine.read(id, urn, state)).toMatchObject({ id, state });
    await host.run(["nft", "flush", "chain", "inet", "knockgate_edge", "ssh_door"]);
    const seen = await engine.read(id, urn, state);
    expect(seen.state["drift"]).toContainEqual(
      expect.stringMatching(/^changed outside: chain ssh_door: - .* drop$/),
    );
    expect(seen.state["sealed"]).toEqual(secret(expect.anything()));
    expect(seen.inputs["sealed"]).toEqual(inputs["sealed"]);
    ({ state } = seen);
  });

  test("deletes: the firewall is as it was, byte for byte", async () => {
    await engine.delete(id, urn, state);
    expect(await host.ruleset()).toBe(before);
  });

  test("knows no other types", async () => {
    await expect(engine.construct("knockgate:index:Other", "x", {})).rejects.toThrow(
      "does not know knockgate:index:Other",
    );
    const other = urn.replace("Ruleset", "toString");
    await expect(engine.check(other, {}, {})).rejects.toThrow("does not know knockgate:index:toString");
  });

  test("has told no secret, neither in the log nor in its output", () => {
    const told = JSON.stringify([plugin.log, plugin.printed]);
    expect(findSecrets(told, [...ports, ...splitKey(lab.privateKey)])).toEqual([]);
  });
});
