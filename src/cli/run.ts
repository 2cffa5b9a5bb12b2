import { KnockgateError } from "../errors.js";
import { escapeControls } from "../printable.js";
import { commandNames, loadCommand, loadCommands } from "./commands.js";
import {
  type Command,
  type CommandContext,
  type CommandOutcome,
  type ExitCode,
  UsageError,
} from "./framework/command.js";
import { escapeAround } from "./framework/paint.js";
import { readInvocation } from "./framework/read-invocation.js";

/** The text to print, and the exit code. */
export interface Printed {
  readonly exitCode: ExitCode;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line to its end. A failure, too, becomes text to print. */
export async function runCommandLine(words: readonly string[], context: CommandContext): Promise<Printed> {
  const isJson = words.includes("--json");
  try {
    const { exitCode, text, json } = await dispatch(words, context);
    const out = isJson ? (json === undefined ? "" : `${JSON.stringify(json, undefined, 2)}\n`) : text;
    return { exitCode, out: escapeAround(out), err: "" };
  } catch (error) {
    return writeFailure(error, isJson);
  }
}

async function dispatch(words: readonly string[], context: CommandContext): Promise<CommandOutcome> {
  const [first = "--help"] = words;
  if (first === "--help" || first === "-h" || first === "help") return showHelp(words.slice(1));
  if (first === "--version") return showVersion();
  if (isGroup(first) && (words.length === 1 || words[1] === "--help" || words[1] === "-h")) {
    return showHelp([first]);
  }
  const command = await findCommand(words);
  const invocation = readInvocation(command, words.slice(command.name.split(" ").length));
  if (invocation.has("help")) return showHelp(command.name.split(" "));
  return command.run(invocation, context, loadCommands);
}

/** Whether a word begins commands of two words, and is not a command itself. */
function isGroup(word: string): boolean {
  return !commandNames.includes(word) && commandNames.some((name) => name.startsWith(`${word} `));
}

/** Finds the command with the longest name that the words begin with. */
async function findCommand(words: readonly string[]): Promise<Command> {
  const [first = "", second = ""] = words;
  const command = (await loadCommand(`${first} ${second}`)) ?? (await loadCommand(first));
  if (command !== undefined) return command;
  const group = commandNames.filter((name) => name.startsWith(`${first} `));
  // Repeats what was typed only if it can't be a knock: a word of letters and dashes.
  const typed = /^[a-z-]+$/.test(first) ? ` ${first}` : "";
  throw new UsageError(
    group.length > 0
      ? `${first} must be followed by ${group.map((name) => name.slice(first.length + 1)).join(", ")}`
      : `there is no command${typed}; knockgate --help lists all commands`,
  );
}

async function showHelp(words: readonly string[]): Promise<CommandOutcome> {
  const { writeGroup, writeHelp, writeOverview } = await import("./framework/help.js");
  const names = words.filter((word) => !word.startsWith("-"));
  const [first = ""] = names;
  const text =
    names.length === 0
      ? writeOverview(await loadCommands())
      : names.length === 1 && isGroup(first)
        ? writeGroup(first, await loadCommands())
        : writeHelp(await findCommand(names));
  return { exitCode: 0, text, json: { help: text } };
}

async function showVersion(): Promise<CommandOutcome> {
  const { readVersion } = await import("./version.js");
  const version = readVersion();
  return { exitCode: 0, text: `${version}\n`, json: { version } };
}

/**
 * Writes an error. One that is neither ours nor the system's is a fault in the program. Its message could quote
 * anything, so it is not shown.
 */
function writeFailure(error: unknown, isJson: boolean): Printed {
  const isUsage = error instanceof UsageError;
  const fault = isOfSystem(error) ? "SYSTEM" : "INTERNAL";
  const code = isUsage ? "USAGE" : error instanceof KnockgateError ? error.code : fault;
  const message = isUsage
    ? error.message
    : error instanceof KnockgateError
      ? error.summary
      : isOfSystem(error)
        ? `${error.path ?? "this machine"}: ${error.syscall} failed (${error.code})`
        : `a fault in knockgate itself${nameFault(error)}`;
  const err = isJson ? JSON.stringify({ error: { code, message } }) : `knockgate: ${message} [${code}]`;
  const exitCode = isUsage ? 2 : code === "POLICY_INVALID" ? 1 : 3;
  return { exitCode, out: "", err: `${escapeControls(err)}\n` };
}

function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "code" in error;
}

function nameFault(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const place = /\bat .*?[/\\](dist|src)[/\\](.*?:\d+)/.exec(error.stack ?? "")?.[2];
  return ` (${error.name}${place === undefined ? "" : ` at ${place}`})`;
}
