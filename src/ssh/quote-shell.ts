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
 * Quotes a text of lines as one word for POSIX sh, without its last line break.
 *
 * @throws Error unless the text is printable ASCII with tabs, and ends with a line break
 */
export function quoteText(text: string): string {
  // dash 0.5.12 takes some bytes of UTF-8 in a program for its own control bytes.
  if (!/^[\t\n -~]*\n$/.test(text)) throw new Error("not a text for sh");
  return quoteWord(text.slice(0, -1));
}
