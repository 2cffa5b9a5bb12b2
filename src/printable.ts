/** What plain text is made of. The pattern below takes time to load, and is hardly ever needed. */
const plain = /^[\n\t -~]*$/;

/**
 * Writes as `\u001b` what is no visible part of a text: control characters, what separates lines, what sets the direction
 * of text (UAX #9) or has no width, and half characters. So what stands in a value can't steer a terminal, begin a line of
 * its own, or show something else than it is. Line breaks and tabs stay. In JSON such an escape means the same character.
 */
export function escapeControls(text: string): string {
  if (plain.test(text)) return text;
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (sign) =>
    sign === "\n" || sign === "\t" ? sign : escapeSign(sign),
  );
}

/** The same for what has to stay on one line. */
export function escapeLine(text: string): string {
  return escapeControls(text).replace(/[\n\t]/g, escapeSign);
}

function escapeSign(sign: string): string {
  return Array.from({ length: sign.length }, (_, index) => {
    return `\\u${sign.charCodeAt(index).toString(16).padStart(4, "0")}`;
  }).join("");
}
