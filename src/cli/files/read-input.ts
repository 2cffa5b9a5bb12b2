import type { Readable } from "node:stream";
import { readText } from "./open-text.js";

/**
 * Reads standard input to its end.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID`
 */
export async function readInput(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk));
  return readText("standard input", Buffer.concat(chunks));
}
