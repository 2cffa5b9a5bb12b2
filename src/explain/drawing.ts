import { measureText, type TextStyle, textSizes } from "./measure.js";

/** A drawing, in pixels from the upper left corner. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly shapes: readonly DrawnShape[];
}

export type DrawnShape = Box | Label | Arrow | Dot;

/** A rectangle. */
export interface Box {
  readonly kind: "box";
  readonly look: "closed" | "step" | "open";
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One line of text; `y` is its baseline. */
export interface Label {
  readonly kind: "label";
  readonly look: TextStyle;
  readonly anchor: "start" | "middle" | "end";
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

/** A line. It has a head at its end, unless it is plain. */
interface Arrow {
  readonly kind: "arrow";
  readonly points: readonly (readonly [number, number])[];
  /** Whether it has no head. */
  readonly isPlain?: boolean;
}

interface Dot {
  readonly kind: "dot";
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

/** Pixels from one baseline to the next. */
export const lineHeight = 17;

/** Stacks lines of text so that their middle lies at `y`. */
export function stackLabels(
  lines: readonly string[],
  look: TextStyle,
  { x, y, anchor }: { readonly x: number; readonly y: number; readonly anchor: Label["anchor"] },
): readonly Label[] {
  const first = y - ((lines.length - 1) * lineHeight) / 2 + textSizes[look] * 0.35;
  return lines.map((text, index) => ({
    kind: "label",
    look,
    anchor,
    x,
    y: first + index * lineHeight,
    text,
  }));
}

/** Breaks a text at its spaces into lines that fit a width. A word that is wider than the width stays whole. */
export function wrapText(text: string, look: TextStyle, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && measureText(`${line} ${word}`, look) <= width) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else {
      lines.push(word);
    }
  }
  return lines;
}

/** Lists as many items as fit a width on one line, and says how many more there are. */
export function listWithin(items: readonly string[], look: TextStyle, width: number, before: string): string {
  for (let count = items.length; count > 0; count--) {
    const rest = items.length - count;
    const text = `${before}${items.slice(0, count).join(", ")}${rest === 0 ? "" : ` and ${rest} more`}`;
    if (measureText(text, look) <= width) return text;
  }
  return `${before}${items.length} ranges of ports`;
}
