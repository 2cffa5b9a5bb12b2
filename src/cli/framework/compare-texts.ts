import { createTwoFilesPatch } from "diff";
import type { CommandContext } from "./command.js";

/** A text and what it is called. */
interface Named {
  readonly name: string;
  readonly text: string;
}

/** How one text differs from another. */
export interface Comparison {
  /** A unified diff; empty when they are the same. */
  readonly text: string;
  /** The diff in colours. */
  colour(paint: CommandContext["paint"]): string;
}

/** Compares two texts line by line. */
export function compareTexts(before: Named, after: Named): Comparison {
  const options = {
    context: 3,
    headerOptions: { includeIndex: false, includeUnderline: false, includeFileHeaders: true },
  };
  const text =
    before.text === after.text
      ? ""
      : createTwoFilesPatch(before.name, after.name, before.text, after.text, undefined, undefined, options);
  return {
    text,
    colour: (paint) =>
      text.replace(/^[+-].*$/gm, (line) => paint(line.startsWith("+") ? "green" : "red", line)),
  };
}
