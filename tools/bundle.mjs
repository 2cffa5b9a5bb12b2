// Makes dist/cli/main.js: what a knock needs, in one file. To find and load twenty files takes a fifth of the whole
// start.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { build } from "esbuild";
import { root } from "./root.mjs";

const source = join(root, "src");
const entry = join(source, "cli", "main.ts");

/** Of the modules that are loaded on demand, the bundle takes these. All others stay files of dist. */
const hot = [
  "cli/gate/ask-ssh.ts",
  "cli/commands/knock/command.ts",
  "cli/commands/knock/run.ts",
  "cli/commands/profile-list/command.ts",
  "cli/commands/proxy/command.ts",
  "cli/commands/proxy/run.ts",
  "cli/gate/token-supply.ts",
  "cli/profiles/profile-store.ts",
  "cli/version.ts",
].map((path) => join(source, path));

const banner = "// Made by tools/bundle.mjs from what a knock needs; the other files here are for the rest.";

/**
 * Writes the bundle over the compiler's output for its entry.
 * @param {string} dist
 */
export async function bundleCommandLine(dist) {
  await build({
    entryPoints: [entry],
    outfile: join(dist, "cli", "main.js"),
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    packages: "external",
    banner: { js: banner },
    // In CommonJS an import() starts Node's second loader, which takes longer than loading the file itself.
    supported: { "dynamic-import": false },
    plugins: [
      { name: "take zod's small schemas in", setup: takeZodIn },
      { name: "leave the rest", setup: leaveTheRest },
    ],
    logLevel: "warning",
  });
}

/**
 * A profile is read by zod. To find and load its hundred files would take a third of a knock's start.
 * @param {import("esbuild").PluginBuild} build
 */
function takeZodIn({ onResolve }) {
  const folder = dirname(createRequire(import.meta.url).resolve("zod/package.json"));
  onResolve({ filter: /^zod\/mini$/ }, () => ({
    path: join(folder, "mini", "index.js"),
    sideEffects: false,
  }));
}

/** @param {import("esbuild").PluginBuild} build */
function leaveTheRest({ onResolve }) {
  onResolve({ filter: /^\./ }, ({ path, kind, resolveDir }) => {
    if (kind === "entry-point" || !resolveDir.startsWith(source)) return undefined;
    const file = join(resolveDir, path).replace(/\.js$/, ".ts");
    if (kind === "dynamic-import" ? hot.includes(file) : !declaresClass(file)) return undefined;
    const left = relative(dirname(entry), file).replace(/\.ts$/, ".js");
    return { path: left.startsWith(".") ? left : `./${left}`, external: true };
  });
}

/**
 * Tells whether a file must exist only once: the files outside would not recognize an error of the bundle's own class.
 * @param {string} file
 */
function declaresClass(file) {
  return /^(export )?class /m.test(readFileSync(file, "utf8"));
}
