import type { Program } from "../../../src/ssh/host";

/** Writes a program for a shell that runs only this program, and exits with its code. */
export function writeProgram({ functions = "", commands }: Program): string {
  return `${functions}(\n${commands}) </dev/null\n`;
}
