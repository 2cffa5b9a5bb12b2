import type { Program } from "../../src/transport/host";

/** Writes a program for a shell that runs nothing else, and ends as the program does. */
export function writeProgram({ functions = "", commands }: Program): string {
  return `${functions}(\n${commands}) </dev/null\n`;
}
