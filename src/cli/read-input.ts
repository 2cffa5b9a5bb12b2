import type { Readable } from "node:stream";

/** Reads standard input to its end. */
export async function readInput(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}
