import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deployersFolder } from "../../../../tools/setup/deployers-place.mjs";
import { findNodes } from "../../../../tools/setup/nodes.mjs";
import type { DeployerRow } from "../deployer-rows";
import type { UserProject } from "./user-project";

const root = join(__dirname, "..", "..", "..", "..");

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

/** The files by which a user's project tells package managers what docs/requirements.md says. */
export function writeSettings(project: UserProject, registry: string): void {
  project.write(".npmrc", `registry=${registry}/\n`);
  const toYarn = [`npmRegistryServer: "${registry}"`, 'unsafeHttpWhitelist: ["127.0.0.1"]'];
  project.write(".yarnrc.yml", `${[...toYarn, "nodeLinker: node-modules"].join("\n")}\n`);
  const page = readFileSync(join(root, "docs", "requirements.md"), "utf8");
  const [, toPnpm] = /```yaml\n# pnpm-workspace\.yaml\n([\s\S]*?)```/.exec(page) ?? [];
  if (toPnpm === undefined) throw new Error("docs/requirements.md has no pnpm-workspace.yaml");
  project.write("pnpm-workspace.yaml", toPnpm);
}

/** Finds a Node of this major version: the one that runs this, or one that setup got. */
export function findNode(major: number): string {
  const nodes = [{ version: process.versions.node, node: process.execPath }, ...findNodes()];
  const found = nodes.find(({ version }) => version.startsWith(`${major}.`));
  if (found === undefined) throw new Error(`Node ${major} is missing: run \`node tools/setup.mjs --rootfs\``);
  return found.node;
}
