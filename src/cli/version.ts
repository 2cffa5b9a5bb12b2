import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** The package's version. */
export async function readVersion(): Promise<string> {
  return JSON.parse(await readFile(join(__dirname, "..", "..", "package.json"), "utf8")).version;
}
