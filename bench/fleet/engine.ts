import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Lab } from "../../lab/lab";
import type { Measured } from "../scale/measure";
import type { StateSize } from "../scale/state-size";
import type { Declared, SubjectName, TransportName } from "../scale/subjects";
import { parallel as usualParallel } from "./pushes";

/** The input of an engine-run.ts process. */
export interface EngineErrand extends Omit<Declared, "turns"> {
  /** The folder for the stack's project and state. */
  readonly directory: string;
  readonly subject: SubjectName;
  /** Operations at a time. */
  readonly parallel: number;
  /**
   * A folder for the profiles of the program's and the provider's process (profile-process.cjs). `undefined`: no
   * profiles.
   */
  readonly profiles?: string | undefined;
}

/** How an engine's run differs from the usual one. */
export interface EngineRunOptions {
  readonly profiles?: string;
  /** Default: as many as the pushes have. */
  readonly parallel?: number;
  /** What speaks SSH. Default: what a connection has by default. */
  readonly transport?: TransportName;
}

/** What one `up` of new resources cost. */
export interface EngineRun {
  readonly measured: Measured;
  /** Processor seconds of the hosts meanwhile. */
  readonly hostSeconds: number;
  readonly state: StateSize;
}

/** Runs `up` and then `destroy` over the first hosts of a lab, each time in a new stack and process. */
export function prepareEngine(lab: Lab, directory: string) {
  const hosts = lab.hosts.map(({ name, ipv4, hostKey }) => ({ name, address: ipv4, hostKey }));
  return (
    subject: SubjectName,
    count: number,
    ballast: number,
    { profiles, parallel = usualParallel, transport }: EngineRunOptions = {},
  ): Promise<EngineRun> => {
    const login = {
      user: "root",
      privateKey: lab.privateKey,
      ...(transport === undefined ? {} : { transport }),
    };
    const own = hosts.slice(0, count);
    return runEngine({ directory, subject, hosts: own, login, parallel, ballast, profiles });
  };
}

async function runEngine(errand: EngineErrand): Promise<EngineRun> {
  const directory = mkdtempSync(join(errand.directory, "engine-"));
  const preload = join(__dirname, "..", "profile", "profile-process.cjs");
  const options = `${process.env["NODE_OPTIONS"] ?? ""} --require ${preload}`.trim();
  const profiling =
    errand.profiles === undefined ? {} : { NODE_OPTIONS: options, KNOCKGATE_PROFILES: errand.profiles };
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
