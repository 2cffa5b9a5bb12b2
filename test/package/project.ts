import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const root = join(__dirname, "..", "..");

/** A folder with what a user's project has after `npm install knockgate`. */
export interface Project {
  readonly folder: string;
  /** Runs node in it, and returns what it printed, and after that what it complained of. */
  run(...args: readonly string[]): string;
  write(file: string, text: string): void;
  remove(): void;
}

/** What is in the package, as `npm pack` says. */
export function listPacked(): readonly { readonly path: string; readonly mode: number }[] {
  const [{ files }] = JSON.parse(npm(["pack", "--dry-run", "--json", "--ignore-scripts"], root));
  return files;
}

/**
 * Unpacks the package's tarball into a project that has nothing else but what the package depends on, a user's own
 * TypeScript, and this checkout's builds of those.
 */
export function makeProject(): Project {
  const folder = mkdtempSync(join(tmpdir(), "knockgate-project-"));
  const packages = join(folder, "node_modules");
  const own = join(packages, "knockgate");
  mkdirSync(own, { recursive: true });
  const [{ filename }] = JSON.parse(
    npm(["pack", "--json", "--ignore-scripts", "--pack-destination", folder], root),
  );
  execFileSync("tar", ["-xzf", join(folder, filename), "-C", own, "--strip-components=1"]);
  const { dependencies, peerDependencies } = require(join(own, "package.json"));
  const others = ["typescript", "tsx", "@types/node"];
  for (const name of [...Object.keys({ ...dependencies, ...peerDependencies }), ...others]) {
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

function npm(args: readonly string[], cwd: string): string {
  return execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}
