import { PassThrough, Readable } from "node:stream";
import type { CommandContext } from "../../../src/cli/framework/command";
import { type Printed, runCommandLine } from "../../../src/cli/run";

export interface Play extends Printed {
  /** What the command line printed. */
  readonly notes: readonly string[];
}

interface Surroundings extends Partial<Pick<CommandContext, "columns" | "paint">> {
  readonly input?: string;
  readonly environment?: Record<string, string>;
}

/** Runs a command line in this process. */
export async function play(
  words: readonly string[],
  { input = "", environment = {}, columns, paint = (_colour, text) => text }: Surroundings = {},
): Promise<Play> {
  const notes: string[] = [];
  const printed = await runCommandLine(words, {
    environment,
    input: Readable.from([Buffer.from(input)]),
    output: new PassThrough(),
    note: (line) => notes.push(line),
    live: undefined,
    columns,
    paint,
  });
  return { ...printed, notes };
}
