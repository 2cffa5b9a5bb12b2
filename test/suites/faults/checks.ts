import { join } from "node:path";
import { expect } from "vitest";
import { runCommand } from "../../../lab/command";
import { type Packets, sendKnock, tryConnect } from "../../../lab/packets";
import type { PolicyInput } from "../../../src/policy/policy";
import { findSecrets, splitKey } from "../e2e/secrets";
import { waitUntil } from "../host/deployment";
import type { Ending, KnownKnocks } from "./deployer";
import { type HostState, renderText, sortLines } from "./host-state";
import { newSteps, oldSteps, secretPorts } from "./policies";
import { nameStep, type Row, states } from "./row";
import type { Scene } from "./scene";

/** The kernel's listing of each ruleset, from a machine where nothing else was ever loaded. */
export interface References {
  readonly old: string;
  readonly new: string;
}

/** The host has the confirmed ruleset that the row names. */
export function checkState(
  state: HostState,
  row: Row,
  before: HostState,
  policies: { readonly old: PolicyInput; readonly new: PolicyInput },
  references: References,
): void {
  expect(state.isPending).toBe(false);
  if (row.ends === "new") {
    checkNew(state, policies.new, references);
    return;
  }
  if (row.from === "first") {
    expect(state).toEqual({ loaded: "", isPending: false, hasFiles: false });
    return;
  }
  expect(state.confirmed?.text).toBe(renderText(policies.old));
  // A boot loads the ruleset afresh, and then the kernel lists the sets in another order.
  expect(state.loaded).toBe(row.on === "booted" ? state.confirmed?.listing : before.loaded);
  expect(state.loaded).toBe(state.confirmed?.listing);
  expect(sortLines(state.loaded)).toBe(references.old);
}

export function checkNew(state: HostState, policy: PolicyInput, references: References): void {
  expect(state.confirmed?.text).toBe(renderText(policy));
  expect(state.loaded).toBe(state.confirmed?.listing);
  expect(sortLines(state.loaded)).toBe(references.new);
}

/** Nothing is loaded or pending any more where a policy was before, or where it did not get to. */
export function checkGone({ loaded, isPending }: HostState): void {
  expect({ loaded, isPending }).toEqual({ loaded: "", isPending: false });
}

/** `up` ended as the row says, and its error says what it must. */
export function checkEnding({ up }: Row, { declared }: Scene, { kind, printed }: Ending): void {
  if (up === undefined || up === "killed") {
    expect(kind).toBe(up ?? "well");
    return;
  }
  expect(kind).toBe("badly");
  // The engine prints the error more than once, and may break its lines.
  const text = printed.replace(/\s+/g, " ");
  const place = `policy ${declared.policy.name} on ${declared.connection.host}:22`;
  const error = new RegExp(
    `${place.replaceAll(".", "\\.")}(?: \\(\\S+\\))?: .*? Running it again is safe\\. \\[[A-Z_]+\\]`,
  ).exec(text)?.[0];
  expect(error).toBeDefined();
  expect(error).toContain(`: ${nameStep(up.at)} failed: `);
  const told = [up.state].flat().map((state) => states[state].source);
  expect(error).toMatch(new RegExp(told.join("|")));
  expect(error).toMatch(new RegExp(`\\[${up.code}\\]$`));
  if (up.why !== undefined) expect(error).toMatch(up.why);
  expect(error).not.toMatch(/[.?!;:]\. |undefined|\[object/);
}

/** SSH opens to a knock that the state holds, or that the source named by the row holds. */
export async function checkReach(row: Row, scene: Scene, known: KnownKnocks): Promise<void> {
  const { host, client } = scene;
  if (row.ends === "old" && row.from === "first") {
    // If the answer to a confirm was lost, the state must also hold the policy that the host would have then.
    const isUnsure = typeof row.up === "object" && row.up.at === "confirm";
    expect(isUnsure ? [[], [newSteps]] : [[]]).toContainEqual(known.confirmed);
    expect(await tryConnect(client, host.ipv4, 22, 2_000)).toBe("open");
    await logIn(scene);
    return;
  }
  const steps = row.ends === "old" ? oldSteps : newSteps;
  const knower = row.knownTo ?? "state";
  if (knower === "state") expect(known.confirmed).toContainEqual(steps);
  else expect(known.confirmed).toEqual(row.from === "first" ? [] : [oldSteps]);
  if (knower === "pending operation") expect(known.pending).toEqual(steps);
  if (knower === "second deployer's state") {
    expect((await scene.other.readKnocks()).confirmed).toEqual([steps]);
  }
  await checkKnock(scene, steps);
}

/** The gate is closed without a knock, and lets a login in after it. */
export async function checkKnock(scene: Scene, steps: Packets["steps"] | object): Promise<void> {
  const { host, client } = scene;
  // A door that an earlier check opened closes after three seconds.
  await waitUntil("a closed gate", 15_000, async () => {
    return (await tryConnect(client, host.ipv4, 22, 700)) === "silent";
  });
  await sendKnock(client, { to: host.ipv4, steps: steps as Packets["steps"], pauseMs: 20 });
  await logIn(scene);
}

async function logIn({ lab, host, client, declared }: Scene): Promise<void> {
  const user = declared.connection.user === "plain" ? "plain" : "root";
  const options = [
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "ConnectTimeout=10",
    "BatchMode=yes",
  ];
  const ssh = [
    "ssh",
    "-F",
    "none",
    "-i",
    join(lab.directory, "id_ed25519"),
    ...options.flatMap((o) => ["-o", o]),
  ];
  const net = ["nsenter", "--target", String(client.pid), "--net", "--"];
  const { stdout } = await runCommand([...net, ...ssh, `${user}@${host.ipv4}`, "hostname"]);
  expect(stdout.trim()).toBe(host.name);
}

export function checkSecrets(scene: Scene, printed: string): void {
  const secrets = [...secretPorts, ...splitKey(scene.lab.privateKey)];
  const lines = printed.split("\n").filter((line) => findSecrets(line, secrets).length > 0);
  expect(lines).toEqual([]);
  expect(findSecrets(printed, secrets)).toEqual([]);
}
