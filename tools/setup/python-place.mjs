// The tests import this, too: it only looks, and prints nothing.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "../root.mjs";

/** The folder with what runs Python programs of Pulumi in tests. */
export const pythonFolder = join(root, "node_modules", ".knockgate-python");
export const python = join(pythonFolder, "environment", "bin", "python");
/** The command that writes the Python package for a schema. */
export const sdkGenerator = join(pythonFolder, "generate-sdk");

/** Tells whether all of it is there. */
export function hasPython() {
  return [python, sdkGenerator].every((path) => existsSync(path));
}
