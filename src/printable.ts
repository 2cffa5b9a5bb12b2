/** Plain text. The pattern below takes time to load and is rarely needed. */
const plain = /^[\n\t -~]*$/;

/**
 * Escapes the invisible characters of a text, for example as `\u001b`: control characters, line and paragraph
 * separators, format characters that set the direction of text (UAX #9) or have no width, and lone surrogates. So a
 * value can't steer a terminal, begin a line of its own, or look like something else. Line breaks and tabs stay. In
 * JSON, such an escape means the same character.
 */
export function escapeControls(text: string): string {
  if (plain.test(text)) return text;
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (sign) =>
    sign === "\n" || sign === "\t" ? sign : escapeSign(sign),
  );
}

/** Does the same for text that has to stay on one line: escapes line breaks and tabs, too. */
export function escapeLine(text: string): string {
  return escapeControls(text).replace(/[\n\t]/g, escapeSign);
}

function escapeSign(sign: string): string {
  return Array.from({ length: sign.length }, (_, index) => {
    return `\\u${sign.charCodeAt(index).toString(16).padStart(4, "0")}`;
  }).join("");
}
