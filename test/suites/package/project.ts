import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { unpackInto } from "./pack";

const root = join(__dirname, "..", "..", "..");

/** A folder with what a user's project has after `npm install knockgate`. */
export interface Project {
  readonly folder: string;
  /** Runs node in it. Returns its stdout, and then its stderr. */
  run(...args: readonly string[]): string;
  write(file: string, text: string): void;
  remove(): void;
}

/** The packages that programs need in addition to the package's dependencies. `@pulumi/command` is not among them. */
const usual = ["@pulumi/pulumi", "typescript", "tsx", "@types/node"];

/**
 * Unpacks the package's tarball into a project that has only the package's dependencies and some other packages, linked
 * to this checkout's copies.
 */
export function makeProject(others: readonly string[] = usual): Project {
  const folder = mkdtempSync(join(tmpdir(), "knockgate-project-"));
  const packages = join(folder, "node_modules");
  const own = join(packages, "knockgate");
  mkdirSync(own, { recursive: true });
  unpackInto(own);
  const { dependencies } = require(join(own, "package.json"));
  for (const name of [...Object.keys(dependencies), ...others]) {
    mkdirSync(dirname(join(packages, name)), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(packages, name));
  }
  cpSync(join(__dirname, "programs"), folder, { recursive: true });
  return {
    folder,
    run: (...args) => {
      const options = { cwd: folder, encoding: "utf8" } as const;
      const { stdout, stderr } = spawnSync(process.execPath, args, options);
      return `${stdout}${stderr}`;
    },
    write: (file, text) => writeFileSync(join(folder, file), text),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
