/**
 * Makes text safe for a terminal. A character that would move the cursor, end a line or reorder the text is shown as
 * its code point, like `\u{1b}`.
 */
export function escapeTerminal(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, codePoint);
}

/**
 * Makes text safe for a cell of a Markdown table: it has no mark-up of Markdown or HTML, no link, and does not end the
 * cell.
 */
export function escapeMarkdown(text: string): string {
  return escapeTerminal(text)
    .replace(/[\\`*_{}[\]<>#|~!@$&]/g, "\\$&")
    .replace(/:(?=\/\/|[\w+-]+:)|(?<=www)\./gi, "\\$&");
}

/**
 * Makes text safe for XML and HTML, between tags and in a quoted attribute. A character that XML can't hold is shown as
 * its code point.
 */
export function escapeXml(text: string): string {
  return escapeTerminal(text)
    .replace(/[\ufffe\uffff]/g, codePoint)
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * Makes text safe for a label of a Mermaid state diagram. Mermaid's lexer ends a label at `:`, `;` and line ends, and
 * its labels are HTML. So each character except letters, digits and harmless punctuation becomes Mermaid's own entity,
 * like `#58;`.
 */
export function escapeMermaid(text: string): string {
  return [...escapeTerminal(text)]
    .map((character) =>
      /^[A-Za-z0-9 ,.()/-]$/.test(character) ? character : `#${character.codePointAt(0)};`,
    )
    .join("")
    .replace(/--/g, "-#45;");
}

function codePoint(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
