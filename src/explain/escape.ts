/**
 * Makes text fit for a terminal: what would move the cursor, end a line or reorder what is read is shown as its code
 * point, like `\u{1b}`.
 */
export function escapeTerminal(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, codePoint);
}

/** Makes text fit for a cell of a Markdown table: no mark-up of Markdown or HTML, no link, and no end of the cell. */
export function escapeMarkdown(text: string): string {
  return escapeTerminal(text)
    .replace(/[\\`*_{}[\]<>#|~!@$&]/g, "\\$&")
    .replace(/:(?=\/\/|[\w+-]+:)|(?<=www)\./gi, "\\$&");
}

/** Makes text fit for XML and HTML, between tags and in a quoted attribute; what XML can't hold is shown as its code point. */
export function escapeXml(text: string): string {
  return escapeTerminal(text)
    .replace(/[\ufffe\uffff]/g, codePoint)
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * Makes text fit for a label of a Mermaid state diagram. Its lexer ends labels at `:`, `;` and line ends and its labels
 * are HTML, so all but letters, digits and what is harmless in a sentence becomes Mermaid's own entity, `#58;`.
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
