import { closeSync, openSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";
import { KnockgateError } from "../../errors.js";

/** Ctrl-C and Ctrl-D: a raw terminal makes no signals of them. */
const ends = ["\x03", "\x04"];
const rubouts = ["\x7f", "\b"];

/**
 * Asks for a secret on the terminal that the process belongs to, wherever standard input goes, and does not show what is
 * typed.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID` where there is no terminal, or nothing was given
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

/** What was typed; empty when it was broken off. */
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
