import { escapeControls } from "../../printable.js";
import type { Colour } from "./command.js";

/** SGR parameters (ECMA-48, 8.3.117). Black and white are of the 256 colours that no theme of a terminal changes. */
const codes: Readonly<Record<Colour, string>> = {
  bold: "1",
  red: "31",
  green: "32",
  yellow: "33",
  whiteOnBlack: "38;5;231;48;5;16",
};

/** Puts a text between the sequences that colour it on a terminal. */
export function paint(colour: Colour, text: string): string {
  return `\x1b[${codes[colour]}m${escapeControls(text)}\x1b[0m`;
}

const painted = new RegExp(`(\x1b\\[(?:${["0", ...Object.values(codes)].join("|")})m)`);

/** Escapes the control characters of a text, but not the sequences that {@link paint} writes. */
export function escapeAround(text: string): string {
  return text
    .split(painted)
    .map((part, index) => (index % 2 === 0 ? escapeControls(part) : part))
    .join("");
}
