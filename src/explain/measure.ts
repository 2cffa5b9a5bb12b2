/** `code`: in a monospaced font, for text that may be a label in place of a secret. `tick`: the number on a dot. */
export type TextStyle = "title" | "heading" | "muted" | "code" | "tick";

/** The sizes of text, in pixels. */
export const textSizes: Readonly<Record<TextStyle, number>> = {
  title: 18,
  heading: 14,
  muted: 12,
  code: 12,
  tick: 10,
};

/**
 * Widths as fractions of the text's size. They are upper bounds for DejaVu Sans, the widest font that pages fall back
 * to.
 */
const narrow = 0.42;
const usual = 0.66;
const wide = 0.99;
const bold = 1.12;
/** The width of a monospaced character. DejaVu Sans Mono and Liberation Mono have 0.602. */
const even = 0.61;

/** Estimates an upper bound of a line's width in pixels, for any usual font of a reader. */
export function measureText(text: string, look: TextStyle): number {
  const size = textSizes[look];
  if (look === "code") return text.length * even * size;
  const width = [...text].reduce((sum, character) => sum + measureCharacter(character), 0);
  return width * size * (look === "title" || look === "heading" ? bold : 1);
}

function measureCharacter(character: string): number {
  if (/[ijl.,:;'|!()[\]/ -]/.test(character)) return narrow;
  if (/[mwA-Z%]/.test(character)) return /[mwMW%]/.test(character) ? wide : 0.79;
  if (/[#&+<=>^~]/.test(character)) return 0.84;
  return /[a-z0-9"$*?_`{}\\]/.test(character) ? usual : 1;
}
