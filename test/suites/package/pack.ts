import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(__dirname, "..", "..", "..");
/** The sources of the package and of its build. */
const parts = ["src", "tools", "dist", "docs", "examples", "bench", "README.md", "LICENSE", "CHANGELOG.md"];
const more = [
  "CONTRIBUTING.md",
  "PulumiPlugin.yaml",
  "pulumi-resource-knockgate",
  "package.json",
  "tsconfig.json",
];

/** The package's files, from `npm pack`. */
export function listPacked(): readonly { readonly path: string; readonly mode: number }[] {
  const [{ files }] = JSON.parse(npm(["pack", "--dry-run", "--json", "--ignore-scripts"], root));
  return files;
}

/**
 * Runs `npm pack` with its scripts, and unpacks the tarball into a folder. The scripts replace package.json while it is
 * packed. So they run in a copy of the checkout: other tests read package.json at the same time.
 */
export function unpackInto(folder: string): void {
  const copy = mkdtempSync(join(tmpdir(), "knockgate-pack-"));
  try {
    for (const part of [...parts, ...more, "tsconfig.build.json"]) {
      // With other times the files would be built again.
      cpSync(join(root, part), join(copy, part), { recursive: true, preserveTimestamps: true });
    }
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    npm(["pack", "--silent", "--pack-destination", copy], copy);
    const archive = execFileSync("sh", ["-c", "ls *.tgz"], { cwd: copy, encoding: "utf8" }).trim();
    execFileSync("tar", ["-xzf", join(copy, archive), "-C", folder, "--strip-components=1"]);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

function npm(args: readonly string[], cwd: string): string {
  return execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
