import type { Colour } from "./command.js";

/** SGR parameters (ECMA-48, 8.3.117). */
const codes: Readonly<Record<Colour, number>> = { bold: 1, red: 31, green: 32, yellow: 33 };

/** Puts a text between the sequences that colour it on a terminal. */
export function paint(colour: Colour, text: string): string {
  return `\x1b[${codes[colour]}m${text}\x1b[0m`;
}
