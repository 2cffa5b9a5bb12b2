import { type Command, exitCodes } from "./command.js";
import { explainOption, listOptions, writeOption, writeUsage } from "./usage.js";

/** Writes the man page, docs/man/knockgate.1, with the macros of man(7). */
export function writeManual(commands: readonly Command[], version: string): string {
  return [
    `.TH KNOCKGATE 1 "" "knockgate ${version}" "User Commands"`,
    ".SH NAME",
    "knockgate \\- port knocking as infrastructure code, from the command line",
    ".SH SYNOPSIS",
    ".B knockgate",
    ".I COMMAND",
    "[ARGUMENT...] [OPTION...]",
    ".SH COMMANDS",
    ...commands.flatMap(writeCommand),
    ".SH EXIT STATUS",
    ...Object.entries(exitCodes).flatMap(([code, about]) => [".TP", `.B ${code}`, escapeRoff(about)]),
    ".SH ENVIRONMENT",
    ".TP",
    ".B XDG_CONFIG_HOME",
    "Profiles are below knockgate/profiles there. Default: ~/.config.",
    ".TP",
    ".B NO_COLOR",
    "If it is set and not empty, nothing is coloured. Only a terminal gets colours anyway.",
    ".SH FILES",
    ".TP",
    ".I ~/.config/knockgate/profiles/NAME.json",
    "A profile. It holds a knock or a key: mode 0600, in a folder of mode 0700.",
    ".TP",
    ".I ~/.config/knockgate/used-slots/",
    "The times whose tokens were sent. It holds no token, no key and no name.",
    ".SH SEE ALSO",
    ".BR ssh (1),",
    ".BR ssh_config (5),",
    ".BR ping (8)",
    "",
  ].join("\n");
}

function writeCommand(command: Command): readonly string[] {
  const entries = [
    ...command.arguments.map(({ name, about }) => [name, about] as const),
    ...listOptions(command).map((option) => [writeOption(option), explainOption(option)] as const),
  ];
  const own = Object.entries(command.exitCodes ?? {});
  return [
    `.SS ${escapeRoff(writeUsage(command))}`,
    escapeRoff(`${command.summary}.`),
    ...command.description.flatMap((paragraph) => [".PP", escapeRoff(paragraph)]),
    ...entries.flatMap(([word, about]) => [".TP", `.B ${escapeRoff(word)}`, escapeRoff(about)]),
    ...(own.length === 0 ? [] : [".PP", "Exit status here:"]),
    ...own.flatMap(([code, about]) => [".TP", `.B ${code}`, escapeRoff(about)]),
    ".PP",
    "Examples:",
    ...command.examples.flatMap(({ line, about }) => {
      return [".PP", escapeRoff(`${about}:`), ".PP", ".nf", ".RS", escapeRoff(line), ".RE", ".fi"];
    }),
  ];
}

/**
 * Makes dashes minus signs, as a shell needs them. A period or an apostrophe at the start of a line would begin a
 * request (groff(7)).
 */
function escapeRoff(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("`", "").replace(/^[.']/gm, "\\&$&");
}
