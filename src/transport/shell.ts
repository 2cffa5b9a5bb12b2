/**
 * Quotes one word for POSIX sh: within single quotes every character stands for itself
 * (POSIX.1-2017, Shell Command Language, 2.2.2).
 */
export function quoteWord(word: string): string {
  if (word.includes("\0")) throw new Error("a word for sh can't hold a NUL");
  return /^[a-zA-Z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Joins words to one command line for POSIX sh. */
export function joinWords(words: readonly string[]): string {
  return words.map(quoteWord).join(" ");
}

/**
 * Writes a here-document that stands for `text` as it is.
 *
 * @throws Error when the text can't be one: it must end with a line break and not hold the end line.
 */
export function hereDocument(command: string, text: string): string {
  const end = "KNOCKGATE_END";
  // dash 0.5.12 takes some bytes of UTF-8 in a here-document for its own marks.
  const isPlain = /^[\t\n -~]*\n$/.test(text);
  if (!isPlain || `\n${text}`.includes(`\n${end}\n`)) throw new Error("not a text for a here-document");
  return `${command} <<'${end}'\n${text}${end}\n`;
}
