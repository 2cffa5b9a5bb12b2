const longestQuote = 300;

/**
 * Quotes a machine's output for a message, after a colon; empty when there is none. Keeps the end of the output, which
 * says best why something ended. Cuts out a password that was sent to the machine and that it may have echoed.
 */
export function quoteSaid(text: string, password = ""): string {
  const clean = (password === "" ? text : text.replaceAll(password, "(password)"))
    .replaceAll(terminalCodes, "")
    .replace(/[^\n -~]/g, "?");
  const lines = clean.split("\n").flatMap((line) => line.trim() || []);
  const said = lines.join(" ");
  return said === "" ? "" : `: ${said.slice(-longestQuote)}`;
}

/** Terminal control sequences, such as colours (ECMA-48, 5.4), and the carriage return before a line break. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const terminalCodes = /\u001b\[[0-?]*[ -/]*[@-~]|\r(?=\n)/g;
