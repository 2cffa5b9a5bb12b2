// The tests import this, too: it only looks, and prints nothing.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../root.mjs";
import { cacheFolder } from "./cache.mjs";

/** Pins the package managers, and the packages that users' projects install with them. */
export const deployersSource = join(root, "tools", "deployers");
const lock = readFileSync(join(deployersSource, "package-lock.json"));

/** Where npm installs them. It exists only when it is complete. */
export const deployersFolder = join(
  cacheFolder,
  `deployers-${createHash("sha256").update(lock).digest("hex").slice(0, 16)}`,
);

export const yamlHostVersion = "1.25.0";
/** Pulumi's language host for YAML. */
export const yamlHost = join(cacheFolder, `pulumi-yaml-${yamlHostVersion}`, "pulumi-language-yaml");

/** Tells whether all of it is there. */
export function hasDeployers() {
  return [deployersFolder, yamlHost].every((path) => existsSync(path));
}
