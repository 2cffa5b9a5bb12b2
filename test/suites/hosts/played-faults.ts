import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Played } from "../faults/report";
import { resultsFolder } from "./row";

/** Rows that passed, with the seconds until each was safe. */
type PassedRows = Readonly<Record<string, number>>;

/**
 * Adds the rows that a run passed to those that earlier runs of the same source passed: a run on a busy machine may
 * lose some rows to its own time limits, and they can be played again alone.
 *
 * @param name names the file that keeps them
 */
export function addPassed(name: string, played: readonly Played[]): PassedRows {
  const source = execFileSync("git", ["rev-parse", "HEAD:src", "HEAD:test/suites/faults"], {
    cwd: __dirname,
    encoding: "utf8",
  });
  const path = join(resultsFolder, `${name}-passed.json`);
  const known = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
  const passed: Record<string, number> = known?.source === source ? { ...known.rows } : {};
  for (const { row, runs } of played) {
    if (runs.length > 0) passed[row.id] = Math.max(...runs.map(({ unsafeSeconds }) => unsafeSeconds));
  }
  mkdirSync(resultsFolder, { recursive: true });
  writeFileSync(path, `${JSON.stringify({ source, rows: passed }, undefined, 2)}\n`);
  return passed;
}
