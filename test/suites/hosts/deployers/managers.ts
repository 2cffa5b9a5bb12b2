import { join } from "node:path";
import { deployersFolder } from "../../../../tools/setup/deployers-place.mjs";
import { findNodes } from "../../../../tools/setup/nodes.mjs";
import type { DeployerRow } from "../deployer-rows";

const installed = (...path: readonly string[]): string => join(deployersFolder, "node_modules", ...path);

/** How each package manager is started, by the `node` on PATH, to add packages to a project. */
export const managers: Readonly<Record<DeployerRow["manager"], readonly string[]>> = {
  npm: ["npm"],
  "pnpm 10": ["node", installed("pnpm", "bin", "pnpm.cjs")],
  "pnpm 12": [installed("@pnpm", "exe.linux-x64", "pnpm")],
  "yarn 1": ["node", installed("yarn", "bin", "yarn.js")],
  "yarn 4": ["node", installed("@yarnpkg", "cli-dist", "bin", "yarn.js")],
  bun: [installed("@oven", "bun-linux-x64", "bin", "bun")],
};

/** Finds a Node of this major version: the one that runs this, or one that setup got. */
export function findNode(major: number): string {
  const nodes = [{ version: process.versions.node, node: process.execPath }, ...findNodes()];
  const found = nodes.find(({ version }) => version.startsWith(`${major}.`));
  if (found === undefined) throw new Error(`Node ${major} is missing: run \`node tools/setup.mjs --rootfs\``);
  return found.node;
}
