import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { KnockGateArgs } from "knockgate";
import { openStack } from "../../../lab/stack";
import type { PolicyInput } from "../../../src/policy/policy";
import { type Sealed, unseal } from "../../../src/pulumi/ruleset/sealed";
import { killTree } from "../e2e/process-tree";
import { type StepName, steps } from "./row";

type Knock = PolicyInput["gates"][number]["knock"]["steps"];

/** What the owner declares for a host. Valid as JSON, because it goes to another process. */
export interface Declared {
  readonly connection: Extract<KnockGateArgs["connection"], { host: unknown }>;
  readonly policy: PolicyInput;
  readonly undoAfterSeconds: number;
}

export interface Up {
  /** Ends program, engine and provider by SIGKILL. */
  kill(): void;
  readonly ended: Promise<Ending>;
}

export interface Ending {
  readonly kind: "well" | "badly" | "killed";
  /** All that was printed, errors too. */
  readonly printed: string;
}

/** A deployer with a stack of the real engine, with one gate, and a state. */
export interface Deployer {
  /** Starts `pulumi up` in a process of its own. `act` runs right after a step, while the provider is stopped. */
  startUp(declared: Declared, within?: { readonly after: StepName; act(): Promise<void> }): Promise<Up>;
  /** Removes the engine's own lock, which a killed engine leaves. */
  cancel(): Promise<void>;
  readKnocks(): Promise<KnownKnocks>;
}

/** The knocks in a state: those that the host may have, and that of an operation that did not finish. */
export interface KnownKnocks {
  readonly confirmed: readonly Knock[];
  readonly pending?: Knock;
}

const hook = join(__dirname, "hook.cjs");
const upLimitMs = 180_000;

export function openDeployer(folder: string): Deployer {
  const open = () => openStack(folder, async () => ({}));
  return {
    startUp: async (declared, within) => {
      await mkdir(folder, { recursive: true });
      const file = join(folder, "declared.json");
      await writeFile(file, JSON.stringify(declared));
      return startUp(file, within);
    },
    cancel: async () => (await open()).cancel(),
    readKnocks: async () => readKnocks((await (await open()).exportStack()).deployment),
  };
}

async function startUp(file: string, within: Parameters<Deployer["startUp"]>[1]): Promise<Up> {
  const marks = `${file}.hook`;
  await rm(marks, { recursive: true, force: true });
  await mkdir(marks);
  const hooked = {
    NODE_OPTIONS: `--require ${hook}`,
    KNOCKGATE_FAULT_FOLDER: marks,
    KNOCKGATE_FAULT_AFTER: within === undefined ? "" : steps[within.after],
  };
  const child = spawn("tsx", [join(__dirname, "up.ts"), file], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...(within === undefined ? {} : hooked) },
  });
  let printed = "";
  let wasKilled = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
  }
  const kill = (): void => {
    wasKilled = true;
    killTree(child.pid ?? 0);
  };
  const limit = setTimeout(() => {
    printed += `\n[the test ended it, because it took over ${upLimitMs / 1_000} s]`;
    kill();
  }, upLimitMs);
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const acted =
    within === undefined ? Promise.resolve() : actWhenReached(marks, within.act, () => child.exitCode);
  acted.catch(() => undefined); // thrown where it is awaited
  const ended = (async (): Promise<Ending> => {
    const code = await closed;
    clearTimeout(limit);
    await acted;
    return { kind: wasKilled ? "killed" : code === 0 ? "well" : "badly", printed };
  })();
  ended.catch(() => undefined); // thrown where it is awaited
  return { kill, ended };
}

async function actWhenReached(
  marks: string,
  act: () => Promise<void>,
  exitCode: () => number | null,
): Promise<void> {
  while (!existsSync(join(marks, "reached"))) {
    if (exitCode() !== null) throw new Error("`up` ended before the step at which something was to happen");
    await pause(20);
  }
  try {
    await act();
  } finally {
    await writeFile(join(marks, "done"), "");
  }
}

interface StoredResource {
  readonly type: string;
  readonly inputs?: Stored;
  readonly outputs?: Stored;
}

interface Stored {
  readonly sealed?: unknown;
  readonly failure?: string;
}

const rulesetType = "pulumi-nodejs:dynamic/knockgate:Ruleset";

function readKnocks(deployment: {
  readonly resources?: readonly StoredResource[];
  readonly pending_operations?: readonly { readonly resource: StoredResource }[];
}): KnownKnocks {
  const isRuleset = ({ type }: StoredResource): boolean => type === rulesetType;
  const outputs = deployment.resources?.find(isRuleset)?.outputs;
  const pending = deployment.pending_operations?.map(({ resource }) => resource).find(isRuleset)?.inputs;
  return {
    confirmed: outputs === undefined ? [] : listConfirmed(outputs).map(readKnock),
    ...(pending === undefined ? {} : { pending: readKnock(openSealed(pending).policy) }),
  };
}

/** If the end of a change is not known, the state holds the policies of before and after. */
function listConfirmed(outputs: Stored): readonly Sealed["policy"][] {
  const { policy, former } = openSealed(outputs);
  return outputs.failure ? (former ?? []) : [policy];
}

/** `stack export --show-secrets` writes a secret as an object with its JSON in `plaintext`. */
function openSealed({ sealed }: Stored): Sealed {
  const { plaintext } = sealed as { plaintext?: string };
  const opened = plaintext === undefined ? undefined : unseal(JSON.parse(plaintext));
  if (opened === undefined) throw new Error("what the state must hold as a secret is none");
  return opened;
}

function readKnock(policy: Sealed["policy"]): Knock {
  const [gate] = policy?.gates ?? [];
  if (gate === undefined) throw new Error("the state holds a policy without gates");
  return gate.knock.steps as Knock;
}
