import type { Stack } from "@pulumi/pulumi/automation";
import { openStack } from "../../lab/stack";
import { type Measured, measure } from "./measure";
import { type Blocks, prepareReports, readBlocks } from "./provider-reports";
import type { StateBackend } from "./state-backend";
import { type StateSize, weighState } from "./state-size";
import { type Declared, type SubjectName, subjects } from "./subjects";

interface Act extends Measured {
  readonly subject: SubjectName;
  readonly act:
    | "up"
    | "preview, nothing changed"
    | "up, nothing changed"
    | "up, one host changed"
    | "destroy";
  /** Of the provider's event loop. */
  readonly blocks: Blocks | undefined;
  /** How many megabytes a database logged for what it was given. */
  readonly writtenMegabytes: number | undefined;
}

export interface Series {
  readonly hosts: number;
  readonly acts: readonly Act[];
  readonly state: StateSize;
}

export interface EngineOptions {
  readonly backend: StateBackend;
  readonly parallel: number | undefined;
  readonly hasOnlyUp: boolean;
  onOutput(text: string): void;
}

/** Which changes of resources an act must have made. */
type Expectation = (changes: Readonly<Record<string, number>>) => boolean;

/** Runs the engine through the life of a subject's stack, and measures each act. */
export async function runSeries(
  directory: string,
  name: SubjectName,
  declared: Declared,
  { backend, parallel, hasOnlyUp, onOutput }: EngineOptions,
): Promise<Series> {
  const stack = await openStack(directory, subjects[name](declared), name);
  const [first] = declared.hosts;
  if (first === undefined) throw new Error("no hosts");
  const options = { onOutput, color: "never", ...(parallel === undefined ? {} : { parallel }) } as const;
  const acts: Act[] = [];
  const perform = async (act: Act["act"], run: () => ReturnType<typeof changesOf>, isRight: Expectation) => {
    const reports = prepareReports(directory);
    const before = await backend.countWritten();
    let changes: Readonly<Record<string, number>> = {};
    const measured = await measure(async () => {
      changes = await run();
    });
    if (!isRight(changes)) throw new Error(`${name}: ${act} did something else: ${JSON.stringify(changes)}`);
    const after = await backend.countWritten();
    const writtenMegabytes =
      before === undefined || after === undefined ? undefined : (after - before) / 1_048_576;
    acts.push({ subject: name, act, ...measured, blocks: readBlocks(reports), writtenMegabytes });
  };
  const up = () => changesOf(stack.up(options));
  await perform("up", up, ({ create = 0 }) => create > declared.hosts.length);
  const state = weighState(await backend.findState(name), declared.hosts.length);
  const hosts = declared.hosts.length;
  if (hasOnlyUp) return { hosts, acts, state };
  await perform("preview, nothing changed", () => previewed(stack, options), isIdle);
  await perform("up, nothing changed", up, isIdle);
  declared.turns.set(first.name, 1);
  await perform(
    "up, one host changed",
    up,
    ({ update = 0, create }) => update >= 1 && update <= 2 && create === undefined,
  );
  await perform(
    "destroy",
    () => changesOf(stack.destroy(options)),
    ({ delete: gone = 0 }) => gone > declared.hosts.length,
  );
  declared.turns.clear();
  return { hosts, acts, state };
}

const isIdle: Expectation = (changes) => Object.keys(changes).join() === "same";

async function changesOf(
  running: Promise<{ readonly summary: { readonly resourceChanges?: object } }>,
): Promise<Readonly<Record<string, number>>> {
  return { ...(await running).summary.resourceChanges };
}

async function previewed(stack: Stack, options: object): Promise<Readonly<Record<string, number>>> {
  return { ...(await stack.preview(options)).changeSummary };
}
