import type { Readable, Writable } from "node:stream";

/** The exit code of a run. Docs, man page and help take its meaning from {@link exitCodes}. */
export type ExitCode = 0 | 1 | 2 | 3;

/** What each exit code means for every command. A command may give more detail. */
export const exitCodes: Readonly<Record<ExitCode, string>> = {
  0: "The command did what was asked, or what it checked holds.",
  1: "What the command checked does not hold.",
  2: "The command line is wrong. Nothing was done.",
  3: "A file, a host or this machine prevented it. The message says which.",
};

/** An argument after the command's name. */
export interface Argument {
  /** In capitals, as help shows it. */
  readonly name: string;
  readonly about: string;
  readonly isOptional?: boolean;
  /** Only for the last one. */
  readonly isRepeated?: boolean;
  /** What the shell completes it with: names of profiles, files, or these words. Default: nothing. */
  readonly completion?: "profile" | "file" | readonly string[];
}

export interface Option {
  /** Without the dashes. */
  readonly name: string;
  /** One letter or digit. */
  readonly short?: string;
  /** The name of its value, in capitals; absent when it takes none. */
  readonly value?: string;
  readonly isRepeated?: boolean;
  readonly choices?: readonly string[];
  readonly about: string;
}

interface Example {
  readonly line: string;
  readonly about: string;
}

/** A command as data. Its help, its page and its part of the man page are made from it. */
export interface Command {
  /** One word, or two: `profile add`. */
  readonly name: string;
  /** One line without a full stop. */
  readonly summary: string;
  /** Paragraphs. */
  readonly description: readonly string[];
  readonly arguments: readonly Argument[];
  /** Its own options, without those that every command has. */
  readonly options: readonly Option[];
  readonly examples: readonly Example[];
  /** Exit codes that mean more here than {@link exitCodes} says. */
  readonly exitCodes?: Partial<Record<ExitCode, string>>;
  /** Runs the command. It imports its modules when it runs, so that other commands do not wait for them. */
  run(invocation: Invocation, context: CommandContext, loadAll: LoadCommands): Promise<CommandOutcome>;
}

/** Loads the descriptions of all commands. */
type LoadCommands = () => Promise<readonly Command[]>;

/** The arguments and options that a command was called with. */
export interface Invocation {
  readonly arguments: readonly string[];
  has(option: string): boolean;
  value(option: string): string | undefined;
  values(option: string): readonly string[];
}

/** What surrounds a run. */
export interface CommandContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly input: Readable;
  /** Only for raw bytes. Text for people goes into the outcome. */
  readonly output: Writable;
  /** Prints a line beside the outcome, while the command runs. */
  note(line: string): void;
  /**
   * Overwrites a terminal's last line; `undefined` when what is printed beside the outcome does not go to a terminal.
   */
  readonly live: ((text: string) => void) | undefined;
  /** How many signs fit in a line of the terminal to which the outcome goes; `undefined` when it goes elsewhere. */
  readonly columns: number | undefined;
  /** Colours a text if the outcome goes to a terminal. */
  paint(colour: Colour, text: string): string;
}

export type Colour = "red" | "green" | "yellow" | "bold" | "whiteOnBlack";

/** The result of a command, to be printed. */
export interface CommandOutcome {
  readonly exitCode: ExitCode;
  /** For people; empty, or ends with a line break. */
  readonly text: string;
  /** What `--json` prints instead; `undefined` prints nothing. */
  readonly json: unknown;
}

/** Options of every command. */
export const sharedOptions: readonly Option[] = [
  { name: "json", about: "Print JSON instead of text. An error is one line of JSON on standard error." },
  { name: "help", short: "h", about: "Print this help." },
];

/** A command line that is wrong. */
export class UsageError extends Error {}
