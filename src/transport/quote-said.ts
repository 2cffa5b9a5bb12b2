const longestQuote = 300;

/**
 * Quotes what a machine said, fit for a message, behind a colon; empty when it said nothing. The end says best why
 * something ended. A password that the machine was sent, and may have said again, is cut out.
 */
export function quoteSaid(text: string, password = ""): string {
  const clean = (password === "" ? text : text.replaceAll(password, "(password)"))
    .replaceAll(terminalCodes, "")
    .replace(/[^\n -~]/g, "?");
  const lines = clean.split("\n").flatMap((line) => line.trim() || []);
  const said = lines.join(" ");
  return said === "" ? "" : `: ${said.slice(-longestQuote)}`;
}

/** Colours and the like (ECMA-48, 5.4), and what ends lines for a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const terminalCodes = /\u001b\[[0-?]*[ -/]*[@-~]|\r(?=\n)/g;
