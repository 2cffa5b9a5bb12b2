// Builds dist from src, unless dist is newer than all of its sources.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundleCommandLine } from "./bundle.mjs";
import { root } from "./root.mjs";

const dist = join(root, "dist");
/**
 * Written last, with the time of the build's start: it tells when a build was broken off or a source edited meanwhile.
 */
const stamp = join(root, "node_modules", ".knockgate-build");

if (isUpToDate()) process.exit(0);
const startedAt = new Date();
rmSync(stamp, { force: true });
rmSync(dist, { recursive: true, force: true });

const tsc = join(root, "node_modules", ".bin", "tsc");
const compiled = spawnSync(tsc, ["-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
if (compiled.error)
  console.error(`build: try \`npm run setup\`, tsc did not start: ${compiled.error.message}`);
if (compiled.status !== 0) process.exit(1);
await bundleCommandLine(dist);

// The host scripts are read at run time from beside the module that sends them.
for (const path of listPaths("src").filter((path) => path.endsWith(".sh"))) {
  cpSync(join(root, path), join(root, path.replace(/^src/, "dist")));
}
const schema = spawnSync(
  process.execPath,
  [join(root, "tools", "schema.mjs"), join(dist, "pulumi", "plugin", "schema.json")],
  {
    stdio: "inherit",
  },
);
if (schema.status !== 0) process.exit(1);
writeFileSync(stamp, "");
utimesSync(stamp, startedAt, startedAt);

function isUpToDate() {
  if (!existsSync(stamp) || !existsSync(dist)) return false;
  const settings = readdirSync(root).filter((name) => /^tsconfig.*\.json$/.test(name));
  // Folders count too: their time changes when files are removed or renamed.
  const examples = listPaths("examples").filter((path) => !path.includes("node_modules"));
  const forSchema = ["tools/schema.mjs", ...listPaths("tools/schema"), ...examples];
  const makers = ["tools/build.mjs", "tools/bundle.mjs"];
  const sources = ["src", ...listPaths("src"), ...forSchema, ...settings, ...makers, "package.json"];
  return sources.every((path) => statSync(join(root, path)).mtimeMs < statSync(stamp).mtimeMs);
}

/**
 * Lists files and folders below a folder.
 * @param {string} folder relative to the repository
 * @returns {string[]}
 */
function listPaths(folder) {
  const below = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  return below.map((path) => join(folder, path));
}
