// Makes dist/cli/main.js: what a knock needs, in one file. To find and load twenty takes a fifth of the whole start.
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build } from "esbuild";
import { root } from "./root.mjs";

const source = join(root, "src");
const entry = join(source, "cli", "main.ts");

/** What of the files that are loaded when they are needed goes in. All others stay files of dist. */
const hot = [
  "cli/ask-ssh.ts",
  "cli/commands/knock.ts",
  "cli/commands/proxy.ts",
  "cli/commands/profile-list.ts",
  "cli/profile-store.ts",
  "cli/run-knock.ts",
  "cli/run-proxy.ts",
  "cli/version.ts",
].map((path) => join(source, path));

const banner =
  "// Made by scripts/bundle.mjs from what a knock needs; the other files here are for the rest.";

/**
 * Writes the bundle in the place of what the compiler made from its entry.
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
    // In CommonJS an import() starts Node's second loader, which takes longer than to load what it is asked for.
    supported: { "dynamic-import": false },
    plugins: [{ name: "leave the rest", setup: leaveTheRest }],
    logLevel: "warning",
  });
}

/** @param {import("esbuild").PluginBuild} build */
function leaveTheRest({ onResolve }) {
  onResolve({ filter: /^\./ }, ({ path, kind, resolveDir }) => {
    if (kind === "entry-point") return undefined;
    const file = join(resolveDir, path).replace(/\.js$/, ".ts");
    if (kind === "dynamic-import" ? hot.includes(file) : !declaresClass(file)) return undefined;
    const left = relative(dirname(entry), file).replace(/\.ts$/, ".js");
    return { path: left.startsWith(".") ? left : `./${left}`, external: true };
  });
}

/**
 * Tells whether there must be one of a file: an error of the bundle's own class would be none to the files outside.
 * @param {string} file
 */
function declaresClass(file) {
  return /^(export )?class /m.test(readFileSync(file, "utf8"));
}
