import { readFile } from "node:fs/promises";
import { KnockgateError } from "../errors.js";
import { decodeText, findTextFault } from "../transport/decode-text.js";

/** No policy, key or profile comes near it; what is larger is another file. */
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
 * Takes bytes for text: UTF-8, or what its byte order mark says.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID`
 */
export function readText(name: string, bytes: Buffer): string {
  const fault = bytes.length > mostBytes ? "has more than 8 MiB" : findTextFault(bytes);
  if (fault === undefined) return decodeText(bytes);
  throw new KnockgateError("ARGUMENTS_INVALID", `${name}: it ${fault}`);
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
