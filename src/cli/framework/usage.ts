import {
  type Argument,
  type Command,
  type ExitCode,
  exitCodes,
  type Option,
  sharedOptions,
} from "./command.js";

/** Writes the line that shows how to call a command. */
export function writeUsage(command: Command): string {
  return ["knockgate", command.name, ...command.arguments.map(writeArgument), "[OPTION...]"].join(" ");
}

function writeArgument({ name, isOptional = false, isRepeated = false }: Argument): string {
  const dots = isRepeated ? `${name}...` : name;
  return isOptional ? `[${dots}]` : dots;
}

/** Writes an option as `-p, --port PORT`. */
export function writeOption({ name, short, value }: Option): string {
  const long = value === undefined ? `--${name}` : `--${name} ${value}`;
  return short === undefined ? long : `-${short}, ${long}`;
}

/** Explains an option, with its choices and whether it may be repeated. */
export function explainOption({ about, choices, isRepeated = false }: Option): string {
  const oneOf = choices === undefined ? "" : ` One of ${choices.join(", ")}.`;
  return `${about}${oneOf}${isRepeated ? " May be given more than once." : ""}`;
}

export function listOptions(command: Command): readonly Option[] {
  return [...command.options, ...sharedOptions];
}

/** Lists the exit codes and what they mean for a command. */
export function listExitCodes(command: Command): readonly { code: ExitCode; about: string }[] {
  const codes: readonly ExitCode[] = [0, 1, 2, 3];
  return codes.map((code) => ({ code, about: command.exitCodes?.[code] ?? exitCodes[code] }));
}
