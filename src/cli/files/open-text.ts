import { readFile } from "node:fs/promises";
import { KnockgateError } from "../../errors.js";
import { decodeText, findTextFault } from "../../ssh/decode-text.js";

/** No policy, key or profile is nearly as large. */
const mostBytes = 8 * 1_024 * 1_024;

/**
 * Reads a file that was named on the command line.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID`
 */
export async function openText(path: string): Promise<string> {
  return readText(path, await openBytes(path));
}

/**
 * Decodes bytes as text: as UTF-8, or by their byte order mark.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID` when they are not text, or more than 8 MiB
 */
export function readText(name: string, bytes: Buffer): string {
  const fault = bytes.length > mostBytes ? "has more than 8 MiB" : findTextFault(bytes);
  if (fault === undefined) return decodeText(bytes);
  throw new KnockgateError("ARGUMENTS_INVALID", `${name}: it ${fault}`);
}

/**
 * Reads a file that may be binary.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID`
 */
export async function openBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? ` (${cause.code})` : "";
    throw new KnockgateError("ARGUMENTS_INVALID", `${path}: it can't be read${code}`, { cause });
  }
}
