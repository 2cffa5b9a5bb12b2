import type { Argument, Command } from "./command.js";
import { listOptions } from "./usage.js";

/** Writes a script that completes command lines of knockgate in bash, zsh or fish. */
export function writeCompletion(shell: string, commands: readonly Command[]): string {
  if (shell === "fish") return writeFish(commands);
  const bash = writeBash(commands);
  // zsh runs bash's completions with its bashcompinit (zshcompsys(1)).
  return shell === "zsh" ? `autoload -U +X bashcompinit && bashcompinit\n${bash}` : bash;
}

const listProfiles = "knockgate profile list --names 2>/dev/null";

function writeBash(commands: readonly Command[]): string {
  const cases = commands.flatMap((command) => [
    `    ${JSON.stringify(command.name)})`,
    `      options=${JSON.stringify(listDashed(command).join(" "))}`,
    `      words=${writeBashWords(command.arguments)}`,
    "      ;;",
  ]);
  return [
    "_knockgate() {",
    '  local current="$' + '{COMP_WORDS[COMP_CWORD]}" options="" words="" name="$' + '{COMP_WORDS[1]}"',
    "  COMPREPLY=()",
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    COMPREPLY=($(compgen -W ${JSON.stringify(listFirst(commands).join(" "))} -- "$current"))`,
    "    return",
    "  fi",
    '  case "$name" in',
    ...listGroups(commands).flatMap(([group, seconds]) => [
      `    ${group})`,
      '      if [ "$COMP_CWORD" -eq 2 ]; then',
      `        COMPREPLY=($(compgen -W ${JSON.stringify(seconds.join(" "))} -- "$current"))`,
      "        return",
      "      fi",
      '      name="$name $' + '{COMP_WORDS[2]}"',
      "      ;;",
    ]),
    "  esac",
    '  case "$name" in',
    ...cases,
    "  esac",
    '  case "$current" in',
    '    -*) COMPREPLY=($(compgen -W "$options" -- "$current")) ;;',
    '    *) if [ "$words" = ":file" ]; then COMPREPLY=($(compgen -f -- "$current")); else COMPREPLY=($(compgen -W "$words" -- "$current")); fi ;;',
    "  esac",
    "}",
    "complete -o filenames -F _knockgate knockgate",
    "",
  ].join("\n");
}

function writeBashWords([first]: readonly Argument[]): string {
  const completion = first?.completion;
  if (completion === "profile") return `"$(${listProfiles})"`;
  if (completion === "file") return '":file"';
  return JSON.stringify((completion ?? []).join(" "));
}

function writeFish(commands: readonly Command[]): string {
  const groups = listGroups(commands);
  const lines = ["complete -c knockgate -f"];
  for (const command of commands) {
    const [first = "", second] = command.name.split(" ");
    const seen = `__fish_seen_subcommand_from ${first}`;
    const siblings = groups.find(([group]) => group === first)?.[1] ?? [];
    const within = second === undefined ? seen : `${seen}; and __fish_seen_subcommand_from ${second}`;
    const offer =
      second === undefined
        ? "__fish_use_subcommand"
        : `${seen}; and not __fish_seen_subcommand_from ${siblings.join(" ")}`;
    lines.push(`complete -c knockgate -n '${offer}' -a ${second ?? first} -d ${quoteFish(command.summary)}`);
    if (second !== undefined) lines.push(`complete -c knockgate -n __fish_use_subcommand -a ${first}`);
    for (const { name, short, value, choices, about } of listOptions(command)) {
      const letter = short === undefined ? "" : ` -s ${short}`;
      const takes =
        value === undefined ? "" : choices === undefined ? " -r" : ` -x -a '${choices.join(" ")}'`;
      lines.push(`complete -c knockgate -n '${within}' -l ${name}${letter}${takes} -d ${quoteFish(about)}`);
    }
    const completion = command.arguments[0]?.completion;
    if (completion === "profile") lines.push(`complete -c knockgate -n '${within}' -a '(${listProfiles})'`);
    else if (completion === "file") lines.push(`complete -c knockgate -n '${within}' -F`);
    else if (completion !== undefined)
      lines.push(`complete -c knockgate -n '${within}' -a '${completion.join(" ")}'`);
  }
  return `${[...new Set(lines)].join("\n")}\n`;
}

/** Within single quotes fish has two escapes: for the quote and for the backslash. */
function quoteFish(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

function listDashed(command: Command): readonly string[] {
  return listOptions(command).flatMap(({ name, short }) => [
    `--${name}`,
    ...(short === undefined ? [] : [`-${short}`]),
  ]);
}

function listFirst(commands: readonly Command[]): readonly string[] {
  return [...new Set(commands.map(({ name }) => name.split(" ")[0] ?? ""))];
}

/** Groups the commands of two words by their first word. */
function listGroups(commands: readonly Command[]): readonly (readonly [string, readonly string[]])[] {
  const groups = new Map<string, string[]>();
  for (const { name } of commands) {
    const [first = "", second] = name.split(" ");
    if (second !== undefined) groups.set(first, [...(groups.get(first) ?? []), second]);
  }
  return [...groups];
}
