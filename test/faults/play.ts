import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import type { PolicyInput } from "../../src/policy/schema";
import { findSecrets, splitKey } from "../e2e/secrets";
import { waitUntil } from "../host/deployment";
import { runCommand } from "../lab/command";
import { type Packets, sendKnock, tryConnect } from "../lab/packets";
import type { Ending, KnownKnocks } from "./deployer";
import { type Backend, type HostState, isPending, readHostState, renderText, sortLines } from "./host-state";
import { makePolicy, newSteps, oldSteps, secretPorts } from "./policies";
import { type Row, type StepName, states, steps } from "./row";
import type { Scene } from "./scene";

/** What a row came to; thrown is whatever must not be. */
export interface Found {
  readonly words: string;
  /** How long a change that was not confirmed stood, from the fault on. */
  readonly unsafeSeconds: number;
}

/** What the kernel says of each ruleset when nothing but it was ever loaded. */
export interface References {
  readonly old: string;
  readonly new: string;
}

/** How long the host may take beyond the armed time: for a machine that is busy with other rows. */
const patienceSeconds = 30;

/**
 * Plays a row and checks what must hold after each of them: the host has one of the two rulesets, SSH opens for a knock
 * that is known, the error says what it must, nothing secret was printed, and the next `up` ends well.
 */
export async function playRow(row: Row, scene: Scene, references: References): Promise<Found> {
  const backend: Backend = row.backend ?? "nftables";
  const { host } = scene;
  const policies = { old: makePolicy(oldSteps, row.backend), new: makePolicy(newSteps, row.backend) };
  if (row.from === "update") await endWell(scene, "the `up` before");
  const before = await readHostState(host, backend);
  scene.declared = { ...scene.declared, policy: policies.new };
  await row.before?.(scene);

  const watch = watchHost(scene, row.before === undefined ? undefined : performance.now());
  const { within } = row;
  const act = async (): Promise<void> => {
    watch.begin();
    await within?.act(scene);
  };
  scene.up = await scene.deployer.startUp(
    scene.declared,
    within === undefined ? undefined : { after: within.after, act },
  );
  const ending = await scene.up.ended;
  try {
    return await checkAll(row, scene, references, { ending, before, policies, watch });
  } catch (cause) {
    // The engine says everything more than once.
    throw new Error(
      `${cause instanceof Error ? cause.message : cause}\n\`up\` had printed: ${ending.printed.slice(-2_500)}`,
      { cause },
    );
  }
}

interface Happened {
  readonly ending: Ending;
  readonly before: HostState;
  readonly policies: { readonly old: PolicyInput; readonly new: PolicyInput };
  readonly watch: ReturnType<typeof watchHost>;
}

async function checkAll(row: Row, scene: Scene, references: References, happened: Happened): Promise<Found> {
  const { ending, before, policies, watch } = happened;
  const { host } = scene;
  const backend: Backend = row.backend ?? "nftables";
  const unsafeSeconds = await watch.untilSafe(scene.declared.undoAfterSeconds + patienceSeconds);

  const state = await readHostState(host, backend);
  checkState(state, row, before, policies, references);
  checkEnding(row, scene, ending);
  await scene.heal();
  if (ending.kind === "killed") await scene.deployer.cancel();
  const known = await scene.deployer.readKnocks();
  await checkReach(row, scene, known);

  const next = await endWell(scene, "the next `up`");
  const after = await readHostState(host, backend);
  checkNew(after, policies.new, references);
  await checkKnock(scene, newSteps);
  for (const printed of [ending.printed, next]) checkSecrets(scene, printed);
  return { words: describe(row, scene), unsafeSeconds };
}

async function endWell(scene: Scene, which: string): Promise<string> {
  const { kind, printed } = await (await scene.deployer.startUp(scene.declared)).ended;
  if (kind !== "well") throw new Error(`${which} ended ${kind}: ${printed}`);
  return printed;
}

/** Looks often enough for a tenth of a second, and without a process: what it costs must not slow other rows. */
function watchHost(scene: Scene, startMs: number | undefined) {
  let beginMs = startMs;
  let lastUnsafeMs = 0;
  let firstUnsafeMs: number | undefined;
  let isOver = false;
  const isSafe = (): boolean => {
    try {
      return !scene.isDown && !isPending(scene.host);
    } catch {
      return false;
    }
  };
  const watching = (async () => {
    while (!isOver) {
      if (beginMs !== undefined && !isSafe()) {
        lastUnsafeMs = performance.now();
        firstUnsafeMs ??= lastUnsafeMs;
      }
      await pause(50);
    }
  })();
  return {
    begin: (): void => {
      beginMs ??= performance.now();
      if (!isSafe()) firstUnsafeMs ??= performance.now();
    },
    untilSafe: async (limitSeconds: number): Promise<number> => {
      const until = performance.now() + limitSeconds * 1_000;
      while (!isSafe()) {
        if (performance.now() > until) {
          isOver = true;
          throw new Error(`a change is still pending ${limitSeconds} s after \`up\` ended`);
        }
        await pause(50);
      }
      isOver = true;
      await watching;
      return firstUnsafeMs === undefined ? 0 : Math.max(0, lastUnsafeMs - firstUnsafeMs) / 1_000;
    },
  };
}

function checkState(
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
    expect(state).toEqual({
      loaded: "",
      isPending: false,
      hasFiles: row.leavesFiles === true,
    });
    return;
  }
  expect(state.confirmed?.text).toBe(renderText(policies.old));
  // Whoever boots loads afresh, and the kernel lists the sets in another order then.
  expect(state.loaded).toBe(row.on === "booted" ? state.confirmed?.listing : before.loaded);
  expect(state.loaded).toBe(state.confirmed?.listing);
  expect(sortLines(state.loaded)).toBe(references.old);
}

function checkNew(state: HostState, policy: PolicyInput, references: References): void {
  expect(state.confirmed?.text).toBe(renderText(policy));
  expect(state.loaded).toBe(state.confirmed?.listing);
  expect(sortLines(state.loaded)).toBe(references.new);
}

function checkEnding({ up }: Row, { host }: Scene, { kind, printed }: Ending): void {
  if (up === undefined || up === "killed") {
    expect(kind).toBe(up ?? "well");
    return;
  }
  expect(kind).toBe("badly");
  // The engine shows it more than once, and may break it into lines.
  const text = printed.replace(/\s+/g, " ");
  const error = new RegExp(
    `policy edge on ${host.ipv4.replaceAll(".", "\\.")}:22: .*? Running it again is safe\\. \\[[A-Z_]+\\]`,
  ).exec(text)?.[0];
  expect(error).toBeDefined();
  expect(error).toContain(`policy edge on ${host.ipv4}:22: ${nameStep(up.at)} failed: `);
  const told = [up.state].flat().map((state) => states[state].source);
  expect(error).toMatch(new RegExp(told.join("|")));
  expect(error).toMatch(new RegExp(`\\[${up.code}\\]$`));
  if (up.why !== undefined) expect(error).toMatch(up.why);
  expect(error).not.toMatch(/[.?!;:]\. |undefined|\[object/);
}

/** SSH opens for what the state knows, or for what the row says who knows. */
async function checkReach(row: Row, scene: Scene, known: KnownKnocks): Promise<void> {
  const { host, client } = scene;
  if (row.ends === "old" && row.from === "first") {
    expect(known.confirmed).toBeUndefined();
    expect(await tryConnect(client, host.ipv4, 22, 2_000)).toBe("open");
    await logIn(scene);
    return;
  }
  const steps = row.ends === "old" ? oldSteps : newSteps;
  const knower = row.knownTo ?? "state";
  if (knower === "state") expect(known.confirmed).toEqual(steps);
  else expect(known.confirmed).toEqual(row.from === "first" ? undefined : oldSteps);
  if (knower === "pending operation") expect(known.pending).toEqual(steps);
  if (knower === "program") expect(known.pending).toBeUndefined();
  if (knower === "second deployer's state") {
    expect((await scene.other.readKnocks()).confirmed).toEqual(steps);
  }
  await checkKnock(scene, steps);
}

/** Closed without a knock, and open after it for a login. */
async function checkKnock(scene: Scene, steps: Packets["steps"] | object): Promise<void> {
  const { host, client } = scene;
  // A door that an earlier look of ours opened closes after three seconds.
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

function checkSecrets(scene: Scene, printed: string): void {
  const secrets = [...secretPorts, ...splitKey(scene.lab.privateKey)];
  expect(findSecrets(printed, secrets)).toEqual([]);
}

/** Without what tells the last of its lines. */
function nameStep(step: StepName): string {
  return steps[step].replace(/:.*/, "");
}

function describe(row: Row, scene: Scene): string {
  const { up } = row;
  const ended =
    up === undefined
      ? "`up` ended well"
      : up === "killed"
        ? "`up` was killed"
        : `\`up\` failed at ${nameStep(up.at)} [${up.code}]`;
  const has =
    row.ends === "new"
      ? "the new ruleset, confirmed"
      : row.from === "first"
        ? `nothing of ours ${row.leavesFiles ? "loaded, but files that the next change removes" : "as before"}`
        : "the old ruleset, byte for byte";
  const knower = row.ends === "old" && row.from === "first" ? undefined : (row.knownTo ?? "state");
  const opens = knower === undefined ? "" : `; opens for the knock that the ${knower} knows`;
  return [`${ended}; the host has ${has}${opens}`, ...scene.notes].join("; ");
}
