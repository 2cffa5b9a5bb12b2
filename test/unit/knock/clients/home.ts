import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findInPath } from "./shells";

/** Makes a home folder with a folder `bin` for tools of the test's own. */
export function makeHome(): string {
  const home = mkdtempSync(join(tmpdir(), "knockgate-home-"));
  mkdirSync(join(home, "bin"));
  return home;
}

/** Puts a script of bash into a home's `bin`, in place of what is there. */
export function writeTool(home: string, name: string, script: string): void {
  const path = join(home, "bin", name);
  rmSync(path, { force: true });
  writeFileSync(path, `#!${findInPath("bash")}\n${script}\n`);
  chmodSync(path, 0o755);
}
