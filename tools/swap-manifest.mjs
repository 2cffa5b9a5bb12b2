// node tools/swap-manifest.mjs write | restore
// npm packs the package.json in the folder. Around each `npm pack` and `npm publish` it is replaced by the part that a
// user needs: a language host that installs the package as a plugin runs `npm install` in its folder, which would
// otherwise fetch everything that only we need.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makePackedManifest } from "./packed-manifest.mjs";
import { root } from "./root.mjs";

const path = join(root, "package.json");
/** Neither packed nor committed. */
const kept = join(root, ".package.json");

const [act] = process.argv.slice(2);
if (act === "write") write();
else if (act === "restore") restore();
else fail("usage: node tools/swap-manifest.mjs write | restore");

function write() {
  if (existsSync(kept)) fail(`swap-manifest: an earlier \`npm pack\` was broken off -> mv ${kept} ${path}`);
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  copyFileSync(path, kept);
  const git = spawnSync("git", ["remote", "get-url", "origin"], { cwd: root, encoding: "utf8" });
  writeFileSync(path, `${JSON.stringify(makePackedManifest(manifest, git.stdout?.trim() ?? ""), null, 2)}\n`);
}

function restore() {
  if (existsSync(kept)) renameSync(kept, path);
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(message);
  process.exit(1);
}
