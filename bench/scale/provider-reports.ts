import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Makes the folder that providers' processes report to from now on (watch-provider.cjs). */
export function prepareReports(directory: string): string {
  const reports = join(directory, "reports");
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });
  process.env["KNOCKGATE_SCALE_REPORTS"] = reports;
  return reports;
}

/** The longest blocks of the event loop in any provider's process, after Knockgate's modules are loaded. */
export interface Blocks {
  readonly longestMs: number;
  /** The longest computation between two heartbeats: without the time in which the process waited for a processor. */
  readonly longestWorkMs: number;
}

/** `undefined` when none of them used Knockgate. */
export function readBlocks(reports: string): Blocks | undefined {
  const all = readdirSync(reports).map((file): Blocks => {
    return JSON.parse(readFileSync(join(reports, file), "utf8"));
  });
  if (all.length === 0) return undefined;
  return {
    longestMs: Math.max(...all.map(({ longestMs }) => longestMs)),
    longestWorkMs: Math.max(...all.map(({ longestWorkMs }) => longestWorkMs)),
  };
}
