import { openStack } from "../../lab/stack";
import { type Measured, measure } from "./measure";
import { type Blocks, prepareReports, readBlocks } from "./provider-reports";
import type { EngineOptions } from "./series";
import { type Declared, subjects } from "./subjects";
import type { BrokenHost } from "./targets";

export interface Rollout extends Measured {
  readonly broken: readonly BrokenHost[];
  /** The engine's message at its end. */
  readonly end: string;
  readonly blocks: Blocks | undefined;
}

/** Rolls out, once, a fleet with some broken hosts. Leaves it as the engine left it. */
export async function runRollout(
  directory: string,
  declared: Declared,
  broken: readonly BrokenHost[],
  { parallel, onOutput }: EngineOptions,
): Promise<Rollout> {
  const stack = await openStack(directory, subjects.fleet(declared), "rollout");
  const reports = prepareReports(directory);
  let end = "";
  const measured = await measure(async () => {
    end = await stack.up({ onOutput, color: "never", ...(parallel === undefined ? {} : { parallel }) }).then(
      ({ summary }) => `it went well: ${JSON.stringify(summary.resourceChanges)}`,
      (error: Error) => `it failed: ${error.message.split("\n").filter((line) => /^ *error: /.test(line))}`,
    );
  });
  return { broken, end, ...measured, blocks: readBlocks(reports) };
}
