import { PassThrough, Readable } from "node:stream";
import { type Printed, runCommandLine } from "../../../src/cli/run";

export interface Play extends Printed {
  /** What the command line printed. */
  readonly notes: readonly string[];
}

/** Runs a command line in this process. */
export async function play(
  words: readonly string[],
  { input = "", environment = {} }: { input?: string; environment?: Record<string, string> } = {},
): Promise<Play> {
  const notes: string[] = [];
  const printed = await runCommandLine(words, {
    environment,
    input: Readable.from([Buffer.from(input)]),
    output: new PassThrough(),
    note: (line) => notes.push(line),
    live: undefined,
    paint: (_colour, text) => text,
  });
  return { ...printed, notes };
}
