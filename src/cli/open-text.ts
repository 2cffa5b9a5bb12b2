import { readFile } from "node:fs/promises";
import { KnockgateError } from "../errors.js";

/**
 * Reads a file that was named on the command line.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID`
 */
export async function openText(path: string): Promise<string> {
  return (await openBytes(path)).toString("utf8");
}

/** The same for a file that need not be text. */
export async function openBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? ` (${cause.code})` : "";
    throw new KnockgateError("ARGUMENTS_INVALID", `${path}: it can't be read${code}`, { cause });
  }
}
