/**
 * Quotes one word for POSIX sh: within single quotes every character stands for itself
 * (POSIX.1-2017, Shell Command Language, 2.2.2).
 */
export function quoteWord(word: string): string {
  if (word.includes("\0")) throw new Error("a word for sh can't hold a NUL");
  return /^[a-zA-Z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Joins words into one command line for POSIX sh. */
export function joinWords(words: readonly string[]): string {
  return words.map(quoteWord).join(" ");
}

/**
 * Writes a here-document that passes `text` on unchanged.
 *
 * @throws Error unless the text is printable ASCII with tabs, ends with a line break, and does not hold the end line
 */
export function hereDocument(command: string, text: string): string {
  const end = "KNOCKGATE_END";
  // dash 0.5.12 takes some bytes of UTF-8 in a here-document for its own control bytes.
  const isPlain = /^[\t\n -~]*\n$/.test(text);
  if (!isPlain || `\n${text}`.includes(`\n${end}\n`)) throw new Error("not a text for a here-document");
  return `${command} <<'${end}'\n${text}${end}\n`;
}
