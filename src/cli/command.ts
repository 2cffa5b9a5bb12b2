import type { Readable, Writable } from "node:stream";

/** What a run ends with; docs, man page and help say the same from {@link exitCodes}. */
export type ExitCode = 0 | 1 | 2 | 3;

/** What each exit code means, for every command; a command may say more. */
export const exitCodes: Readonly<Record<ExitCode, string>> = {
  0: "What was asked for is done, or holds.",
  1: "It was looked at, and does not hold.",
  2: "The command line is wrong; nothing was done.",
  3: "Something in the way: a file, a host, this machine. The message says what.",
};

/** What stands after the command's name. */
export interface Argument {
  /** In capitals, as help shows it. */
  readonly name: string;
  readonly about: string;
  readonly isOptional?: boolean;
  /** Only for the last one. */
  readonly isRepeated?: boolean;
  /** What the shell completes it with. Default: nothing. */
  readonly completion?: "profile" | "file" | readonly string[];
}

export interface Option {
  /** Without the dashes. */
  readonly name: string;
  /** One letter or digit. */
  readonly short?: string;
  /** What its value is called, in capitals; absent: it has none. */
  readonly value?: string;
  readonly isRepeated?: boolean;
  readonly choices?: readonly string[];
  readonly about: string;
}

interface Example {
  readonly line: string;
  readonly about: string;
}

/** A command as data: its help, its page and its part of the man page are made from it. */
export interface Command {
  /** One word, or two: `profile add`. */
  readonly name: string;
  /** One line without a full stop. */
  readonly summary: string;
  /** Paragraphs. */
  readonly description: readonly string[];
  readonly arguments: readonly Argument[];
  /** Beside those that every command has. */
  readonly options: readonly Option[];
  readonly examples: readonly Example[];
  /** Where one means more here than {@link exitCodes} says. */
  readonly exitCodes?: Partial<Record<ExitCode, string>>;
  /** Imports what it needs when it runs, so that no other command waits for it. */
  run(call: Call, surroundings: Surroundings, loadAll: LoadCommands): Promise<Outcome>;
}

/** Loads the descriptions of all commands. */
type LoadCommands = () => Promise<readonly Command[]>;

/** What a command was called with. */
export interface Call {
  readonly arguments: readonly string[];
  has(option: string): boolean;
  value(option: string): string | undefined;
  values(option: string): readonly string[];
}

/** What a run has around it. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly input: Readable;
  /** For raw bytes alone: what is said goes into the outcome. */
  readonly output: Writable;
  /** Says a line beside the outcome, while the command runs. */
  note(line: string): void;
  /** Writes over a terminal's last line; `undefined` where what is said beside the outcome goes elsewhere. */
  readonly live: ((text: string) => void) | undefined;
  /** Colours a text where the outcome goes to a terminal. */
  paint(colour: Colour, text: string): string;
}

export type Colour = "red" | "green" | "yellow" | "bold";

/** What a command leaves to be printed. */
export interface Outcome {
  readonly exitCode: ExitCode;
  /** For people; empty, or ends with a line break. */
  readonly text: string;
  /** What `--json` prints in its place; `undefined`: nothing. */
  readonly json: unknown;
}

/** Options of every command. */
export const sharedOptions: readonly Option[] = [
  { name: "json", about: "Print JSON in place of text; an error is one JSON line on standard error." },
  { name: "help", short: "h", about: "Print this help." },
];

/** A command line that is wrong. */
export class UsageError extends Error {}
