import { giveName } from "../../../lab/names";
import type { PolicyInput } from "../../../src/policy/policy";
import { waitUntil } from "../host/deployment";
import {
  checkEnding,
  checkGone,
  checkKnock,
  checkNew,
  checkReach,
  checkSecrets,
  checkState,
  type References,
} from "./checks";
import type { Ending } from "./deployer";
import { type HostState, listReference, readHostState, sortLines } from "./host-state";
import { makePolicy, newSteps, oldSteps } from "./policies";
import { nameStep, type Row } from "./row";
import type { Scene } from "./scene";
import { type Watch, watchHost } from "./watch";

/** What a row found. What must not happen is thrown. */
export interface Found {
  readonly words: string;
  /** Seconds after the fault in which a change was pending or the host was down. */
  readonly unsafeSeconds: number;
}

/** How long the host may take after the armed time, because other rows keep the machine busy. */
const patienceSeconds = 30;

/**
 * Plays a row and checks what must hold after each of them: the host has one of the two rulesets, SSH opens for a knock
 * that is known, the error says what it must, nothing secret was printed, and the next `up` ends well.
 */
export async function playRow(row: Row, scene: Scene): Promise<Found> {
  const { host } = scene;
  if (row.by === "name") await giveName(`${scene.declared.connection.host}`, [host.ipv4, host.ipv6]);
  const policies = { old: makePolicy(oldSteps, row), new: makePolicy(newSteps, { ...row, ...row.becomes }) };
  const references = {
    old: sortLines(await listReference(scene.bystander, policies.old, scene.debian)),
    new: sortLines(await listReference(scene.bystander, policies.new, scene.debian)),
  };
  if (row.from === "update") await endWell(scene, "the `up` before");
  const before = await readHostState(host, policies.old, scene.debian);
  scene.declared = { ...scene.declared, policy: policies.new };
  await row.before?.(scene);

  const watch = watchHost(scene);
  if (row.before !== undefined) watch.begin();
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
    // The engine prints everything more than once.
    throw new Error(
      `${cause instanceof Error ? cause.message : cause}\n\`up\` had printed: ${ending.printed.slice(-2_500)}`,
      { cause },
    );
  } finally {
    watch.end();
  }
}

interface Happened {
  readonly ending: Ending;
  readonly before: HostState;
  readonly policies: { readonly old: PolicyInput; readonly new: PolicyInput };
  readonly watch: Watch;
}

async function checkAll(row: Row, scene: Scene, references: References, happened: Happened): Promise<Found> {
  const { ending, before, policies, watch } = happened;
  const { host } = scene;
  const limitSeconds = scene.declared.undoAfterSeconds + patienceSeconds;
  const unsafeSeconds = await watch.untilSafe(limitSeconds);
  // What was staged and never armed is not loaded, so the host is safe. Its timer takes it away.
  if (row.from === "first" && row.ends === "old") {
    const hasFiles = async () => (await readHostState(host, policies.old, scene.debian)).hasFiles;
    await waitUntil("no file of ours", limitSeconds * 1_000, async () => !(await hasFiles()));
  }

  checkState(await readHostState(host, policies[row.ends], scene.debian), row, before, policies, references);
  if (row.becomes !== undefined) {
    checkGone(await readHostState(host, policies[row.ends === "old" ? "new" : "old"], scene.debian));
  }
  checkEnding(row, scene, ending);
  await scene.heal();
  if (ending.kind === "killed") await scene.deployer.cancel();
  const known = await scene.deployer.readKnocks();
  await checkReach(row, scene, known);

  const next = await endWell(scene, "the next `up`");
  const after = await readHostState(host, policies.new, scene.debian);
  checkNew(after, policies.new, references);
  if (row.becomes !== undefined) checkGone(await readHostState(host, policies.old, scene.debian));
  await checkKnock(scene, newSteps);
  for (const printed of [ending.printed, next]) checkSecrets(scene, printed);
  return { words: describe(row, scene), unsafeSeconds };
}

async function endWell(scene: Scene, which: string): Promise<string> {
  const { kind, printed } = await (await scene.deployer.startUp(scene.declared)).ended;
  if (kind !== "well") throw new Error(`${which} ended ${kind}: ${printed}`);
  return printed;
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
        ? "nothing of ours, as before"
        : "the old ruleset, byte for byte";
  const knower = row.ends === "old" && row.from === "first" ? undefined : (row.knownTo ?? "state");
  const opens = knower === undefined ? "" : `; opens for the knock that the ${knower} knows`;
  return [`${ended}; the host has ${has}${opens}`, ...scene.notes].join("; ");
}
