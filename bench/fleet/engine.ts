import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Measured } from "../scale/measure";
import type { StateSize } from "../scale/state-size";
import type { Declared, SubjectName } from "../scale/subjects";

/** What a process of engine-run.ts is told. */
export interface EngineErrand extends Omit<Declared, "turns"> {
  /** Below it the stack's project and state go. */
  readonly directory: string;
  readonly subject: SubjectName;
  /** Operations at a time. */
  readonly parallel: number;
  /** A folder for CPU profiles of the program and the provider's process; `undefined`: none are made. */
  readonly profiles?: string | undefined;
}

/** What one `up` of new resources cost. */
export interface EngineRun {
  readonly measured: Measured;
  readonly state: StateSize;
}

/** Runs `up` and then `destroy` over a new stack, and tells what the `up` cost. */
export async function runEngine(errand: EngineErrand): Promise<EngineRun> {
  const directory = mkdtempSync(join(errand.directory, "engine-"));
  const profiling =
    errand.profiles === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${errand.profiles}` };
  const child = spawn(process.execPath, [...process.execArgv, join(__dirname, "engine-run.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...profiling },
  });
  child.stdin.end(JSON.stringify({ ...errand, directory }));
  const [output, code] = await Promise.all([
    text(child.stdout),
    new Promise((resolve) => child.once("close", resolve)),
  ]);
  if (code !== 0) throw new Error(`${errand.subject}: the engine's run ended with ${code}`);
  return JSON.parse(output);
}
