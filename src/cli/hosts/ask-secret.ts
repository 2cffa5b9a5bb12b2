import { closeSync, openSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";
import { KnockgateError } from "../../errors.js";

/** Ctrl-C and Ctrl-D. A terminal in raw mode does not turn them into signals. */
const ends = ["\x03", "\x04"];
const rubouts = ["\x7f", "\b"];

/**
 * Asks for a secret on the process's terminal, wherever standard input goes. Does not show what is typed.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID` when there is no terminal, or nothing was typed
 */
export async function askSecret(what: string): Promise<string> {
  const descriptor = openTerminal(what);
  const terminal = new ReadStream(descriptor);
  const screen = openSync("/dev/tty", "w");
  terminal.setRawMode(true);
  writeSync(screen, `${what}: `);
  try {
    const line = await readLine(terminal);
    if (line !== "") return line;
  } finally {
    terminal.setRawMode(false);
    terminal.destroy();
    writeSync(screen, "\n");
    closeSync(screen);
  }
  throw new KnockgateError("ARGUMENTS_INVALID", `the ${what} was not given`);
}

function openTerminal(what: string): number {
  try {
    return openSync("/dev/tty", "r+");
  } catch (cause) {
    const message = `the ${what} can't be asked for: there is no terminal`;
    throw new KnockgateError("ARGUMENTS_INVALID", message, { cause });
  }
}

/** Reads what is typed; empty when the user breaks off. */
async function readLine(terminal: ReadStream): Promise<string> {
  let typed: readonly string[] = [];
  for await (const chunk of terminal.setEncoding("utf8")) {
    for (const letter of `${chunk}`) {
      if (letter === "\r" || letter === "\n") return typed.join("");
      if (ends.includes(letter)) return "";
      typed = rubouts.includes(letter) ? typed.slice(0, -1) : [...typed, letter];
    }
  }
  return "";
}
