import { type ParseArgsConfig, parseArgs } from "node:util";
import { type Command, type Invocation, type Option, sharedOptions, UsageError } from "./command.js";

/**
 * Reads the words after a command's name.
 *
 * @throws UsageError
 */
export function readInvocation(command: Command, words: readonly string[]): Invocation {
  const options = [...sharedOptions, ...command.options];
  const { values, positionals } = parse(options, words);
  const isGiven = (name: string): boolean => values[name] !== undefined;
  // With --help, the rest may be missing.
  if (!isGiven("help")) {
    checkArguments(command, positionals);
    for (const option of options) checkChoice(option, values[option.name]);
  }
  const list = (name: string): readonly string[] =>
    [values[name] ?? []].flat().filter((value) => typeof value === "string");
  return {
    arguments: positionals,
    has: isGiven,
    value: (name) => list(name).at(-1),
    values: list,
  };
}

function parse(options: readonly Option[], words: readonly string[]) {
  const config: ParseArgsConfig["options"] = Object.fromEntries(
    options.map(({ name, short, value, isRepeated = false }) => [
      name,
      {
        type: value === undefined ? ("boolean" as const) : ("string" as const),
        multiple: isRepeated,
        ...(short === undefined ? {} : { short }),
      },
    ]),
  );
  try {
    return parseArgs({ args: [...words], options: config, allowPositionals: true, strict: true });
  } catch (cause) {
    throw new UsageError(describe(cause), { cause });
  }
}

/**
 * Describes an error of parseArgs. Names only an option without digits: a value may be secret, and a name with digits
 * or a colon may be a step. Node's own message would quote both.
 */
function describe(cause: unknown): string {
  if (!(cause instanceof Error) || !("code" in cause)) throw cause;
  const option = (/--[a-z-]+(?=['=\s,])/.exec(cause.message) ??
    /(?<=')-[a-z](?=['=\s,])/i.exec(cause.message) ?? ["of that name"])[0];
  switch (cause.code) {
    case "ERR_PARSE_ARGS_UNKNOWN_OPTION":
      return `there is no option ${option}`;
    case "ERR_PARSE_ARGS_INVALID_OPTION_VALUE":
      return /does not take an argument/.test(cause.message)
        ? `${option} takes no value`
        : `${option} needs a value; one that begins with a dash is written --option=-value`;
    default:
      throw cause;
  }
}

function checkArguments(command: Command, given: readonly string[]): void {
  const needed = command.arguments.filter(({ isOptional }) => isOptional !== true);
  const missing = needed[given.length];
  if (missing !== undefined) throw new UsageError(`${missing.name} is missing`);
  const isOpen = command.arguments.at(-1)?.isRepeated === true;
  if (!isOpen && given.length > command.arguments.length) {
    throw new UsageError(`${command.name} takes ${countArguments(command.arguments.length)}`);
  }
}

function countArguments(count: number): string {
  if (count === 0) return "no arguments";
  return count === 1 ? "one argument" : `${count} arguments at most`;
}

function checkChoice({ name, choices }: Option, given: unknown): void {
  if (choices === undefined || given === undefined) return;
  if ([given].flat().every((value) => choices.includes(`${value}`))) return;
  throw new UsageError(`--${name} must be one of ${choices.join(", ")}`);
}
