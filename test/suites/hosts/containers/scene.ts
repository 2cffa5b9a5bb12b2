import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { BootedHost } from "../../../../lab/booted-host";
import { type Lab, openLab } from "../../../../lab/lab";
import type { LabClient } from "../../../../lab/machine";
import { sendKnock, tryConnect } from "../../../../lab/packets";
import { changeHost } from "../../../../src/change/change";
import { removeFromHost } from "../../../../src/change/remove";
import type { Policy } from "../../../../src/policy/policy";
import { deployTo, waitUntil } from "../../host/deployment";
import { isLetIn } from "../../host/inspection";
import { listDrift } from "../../host/look";
import { makePolicy, oldSteps } from "../../host/policies";
import { askBy, type Engine, freePort, gatedPort, page } from "./engine";

/** A host with an engine, one machine that knocks, and one that never does. */
export interface Scene {
  readonly lab: Lab;
  readonly host: BootedHost;
  readonly client: LabClient;
  readonly stranger: LabClient;
  readonly engine: Engine;
  readonly policy: Policy;
}

const steps = [{ tcp: 61_001 }, { udp: 51_002 }];
const silenceMs = 900;
const elsewhere = { port: 9_090, page: "a page of another machine\n" };

/** Opens a lab with a host for each backend. They have the engine's settings, and the engine does not run yet. */
export async function openScenes(engine: Engine): Promise<{ lab: Lab; scenes: readonly Scene[] }> {
  const bootedHosts = engine.backends.length;
  const lab = await openLab({
    hosts: 0,
    clients: 2,
    bootedHosts,
    bootedInit: "containers",
    bootedNests: true,
  });
  try {
    const [client, stranger] = lab.clients;
    if (client === undefined || stranger === undefined) throw new Error("the lab has no clients");
    serveElsewhere(lab, stranger);
    const scenes = engine.backends.map(async (backend, index) => {
      const host = lab.bootedHosts[index];
      if (host === undefined) throw new Error("the lab has too few hosts");
      await engine.prepare(host);
      return { lab, host, client, stranger, engine, policy: gate(backend, engine.scope) };
    });
    return { lab, scenes: await Promise.all(scenes) };
  } catch (cause) {
    await lab.close();
    throw cause;
  }
}

/** SSH is behind a gate of its own, so each look at the host comes through it. */
export function gate(backend: Policy["backend"], scope: Policy["scope"]): Policy {
  const protect = [{ tcp: `${gatedPort}` }];
  return makePolicy({
    backend,
    scope,
    gates: [
      { name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [...oldSteps] }, openForSeconds: 60 },
      { name: "web", protect, knock: { steps }, openForSeconds: 5 },
    ],
  });
}

function serveElsewhere(lab: Lab, machine: LabClient): void {
  const folder = join(lab.directory, "elsewhere");
  mkdirSync(folder);
  writeFileSync(join(folder, "index.html"), elsewhere.page);
  machine.spawn(["busybox", "httpd", "-f", "-p", String(elsewhere.port), "-h", folder]);
}

/** Brings the policy to the host. Returns the lines of the log. */
export async function change({ lab, host, policy }: Scene, isThere = true): Promise<readonly string[]> {
  const context = await deployTo(lab, host);
  const formerPolicies = isThere ? [policy] : [];
  await changeHost({ policy, formerPolicies, owner: "me", undoAfterSeconds: 120 }, context);
  return context.lines;
}

export async function removeGate({ lab, host, policy }: Scene): Promise<void> {
  await removeFromHost(policy, "me", await deployTo(lab, host));
}

/**
 * Claims what must hold after each act: closed to who has not knocked and open to who has, over IPv4 and IPv6, with the
 * engine's page behind it; the other port answers everybody; from inside, others can be reached.
 */
export async function expectGated(scene: Scene): Promise<void> {
  const { host, client, stranger, engine } = scene;
  await waitUntilServed(scene);
  expect(await isLetIn(stranger, host)).toBe(false);
  const open = async (address: string) => {
    const look = (from: LabClient) => tryConnect(from, address, gatedPort, silenceMs);
    await waitUntil("a door that is closed again", 60_000, async () => (await look(client)) === "silent");
    expect(await look(stranger)).toBe("silent");
    await sendKnock(client, { to: address, steps });
    expect(await fetchPage(client, address, gatedPort)).toBe(page);
    expect(await look(stranger)).toBe("silent");
  };
  await Promise.all(engine.families.map((family) => open(host[family])));
  await expectOutside(scene);
}

/** The engine's containers may come some time after its start. */
export async function waitUntilServed({ host, stranger, engine }: Scene, port = freePort): Promise<void> {
  for (const family of engine.families) {
    await waitUntil(`the page at ${host[family]} port ${port}`, 120_000, async () => {
      return (await fetchPage(stranger, host[family], port)) === page;
    });
  }
}

async function expectOutside({ host, stranger, engine }: Scene): Promise<void> {
  const answer = await engine.askFromInside(host, stranger.ipv4, elsewhere.port);
  expect(answer).toContain(elsewhere.page);
}

async function fetchPage(from: LabClient, address: string, port: number): Promise<string> {
  const { stdout } = await from.run(["sh", "-c", askBy(address, port)], { check: false });
  return stdout.slice(stdout.indexOf("\r\n\r\n") + 4);
}

/**
 * Claims that drift is as said, that the next change repairs it, and that none is left. Without drift there is nothing
 * to change.
 */
export async function expectRepaired(scene: Scene, drift: readonly string[]): Promise<void> {
  const { lab, host, policy } = scene;
  expect(await listDrift(lab, host, policy)).toEqual(drift);
  const lines = (await change(scene)).join("\n");
  if (drift.length === 0) expect(lines).toContain("nothing to change");
  expect(lines).not.toContain("warning");
  expect(await listDrift(lab, host, policy)).toEqual([]);
}

/** The versions of what an engine's rows are about, as the host tells them. */
export async function listVersions({ host, engine }: Scene): Promise<string> {
  const ask = async (argv: readonly string[]) => (await host.run(argv)).stdout;
  const [tool, nft, iptables, kernel] = await Promise.all(
    [engine.version, ["nft", "--version"], ["iptables", "--version"], ["uname", "-r"]].map(ask),
  );
  const first = (text = "") => /\d+(\.\d+)+/.exec(text)?.[0] ?? "unknown";
  const variant = /\((\w+)\)/.exec(iptables ?? "")?.[1] ?? "unknown";
  return [
    `${engine.name} ${first(tool)}`,
    `nft ${first(nft)}`,
    `iptables ${first(iptables)} (${variant})`,
    `kernel ${first(kernel).split(".").slice(0, 2).join(".")}`,
  ].join(", ");
}
