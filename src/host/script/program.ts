import type { HostBackend } from "../../backends/backend.js";
import type { Program } from "../../ssh/host.js";
import { makeToken } from "../../ssh/own-shell.js";
import { joinWords, quoteText, quoteWord } from "../../ssh/quote-shell.js";
import { hostScript } from "./host-script.js";

/** The host script's answer: single values, and sections of text. */
export interface Reply {
  readonly values: ReadonlyMap<string, string>;
  readonly sections: ReadonlyMap<string, string>;
  /** Returns all values of a key that may come more than once. */
  list(key: string): readonly string[];
}

/** The host script's exit codes that matter here. */
export const scriptExitCodes = { pending: 11, refused: 12, notPending: 13 } as const;

/** Holds a folder for each policy on a host, with all its files. */
export const library = "/var/lib/knockgate";

/**
 * The shell keeps the script's text in a variable, so that a stage can save it beside a change without sending it
 * again.
 */
const functions = `host_script=${quoteText(hostScript)}\neval "$host_script"\n`;

/** Writes a program that runs one command of the host script. */
export function commandProgram(words: readonly string[]): Program {
  return { functions, commands: `${endSections()}main ${joinWords(words)}\n` };
}

/**
 * Writes the program that observes a host. sshd's SSH_CONNECTION tells it the client's address.
 *
 * @param hasTokens whether the policy has gates that tokens open, so that the host must be able to hold tokens
 */
export function probeProgram(policy: string, backend: HostBackend, hasTokens: boolean): Program {
  const words = joinWords(["probe", policy, backend]);
  return { functions, commands: `${endSections()}main ${words} "$1"${hasTokens ? " tokens" : ""}\n` };
}

/** Gives the host script the line that ends a section of its answer. What is in a section can't know it. */
function endSections(): string {
  return `end_sections_by ${makeToken()}\n`;
}

export interface StagedFiles {
  readonly ruleset: string;
  readonly load: string;
  readonly owner: string;
  readonly backend: HostBackend;
  /** The tool that lists what is loaded, with its version, as the host said. Default: it is asked again. */
  readonly lister?: string | undefined;
  /** Seconds from the stage until the host undoes the change, if it is armed. Default: 60. */
  readonly undoAfterSeconds?: number;
  /** Names of other policies that the change replaces. Default: none. */
  readonly replaces?: readonly string[];
  /** What the host makes its tokens from. Secret. Default: the policy has no tokens. */
  readonly tokens?: string | undefined;
}

/** Writes the program that stages a change. It is one program, so that it holds one lock all the time. */
export function stageProgram(policy: string, id: string, digest: string, files: StagedFiles): Program {
  return {
    functions,
    commands: [
      `${joinWords(["stage_begin", policy, id])}\n`,
      "put_script\n",
      `put_file ruleset ${quoteText(files.ruleset)}\n`,
      `put_file load ${quoteText(files.load)}\n`,
      ...(files.tokens === undefined ? [] : [`put_file tokens ${quoteText(files.tokens)}\n`]),
      `${joinWords(["put_line", "owner", files.owner])}\n`,
      `${joinWords(["put_line", "backend", files.backend])}\n`,
      `${joinWords(["put_line", "tool", files.lister ?? ""])}\n`,
      ...(files.replaces ?? []).map((name) => `${joinWords(["add_line", "replaces", name])}\n`),
      `${joinWords(["stage_end", digest, `${files.undoAfterSeconds ?? 60}`])}\n`,
    ].join(""),
  };
}

/**
 * Writes the program that confirms a change. It uses the script saved beside the change, so that a fresh connection
 * need not send the script again.
 */
export function confirmProgram(policy: string, id: string): Program {
  const script = `${library}/${policy}/changes/${id}/host.sh`;
  const gone = `change ${id} is not pending any more: the host has undone it`;
  return {
    commands: [
      `[ -f ${quoteWord(script)} ] || { echo ${quoteWord(gone)} >&2; exit ${scriptExitCodes.notPending}; }\n`,
      `set -- ${joinWords(["confirm", policy, id])}\n. ${quoteWord(script)}\n`,
    ].join(""),
  };
}

/**
 * Reads what the host script printed: `key=value` lines, and sections. A section is `== name` followed by lines that
 * begin with `|`, or `== name end` followed by any lines up to the line `end`.
 */
export function parseReply(stdout: string): Reply {
  const pairs: [string, string][] = [];
  const sections = new Map<string, string>();
  let [section, end] = ["", ""];
  const add = (line: string) => sections.set(section, `${sections.get(section) ?? ""}${line}\n`);
  for (const line of stdout.split("\n")) {
    const separator = line.indexOf("=");
    if (end !== "" && line === end) end = "";
    else if (end !== "") add(line);
    else if (line.startsWith("|")) add(line.slice(1));
    else if (line.startsWith("== ")) [section = "", end = ""] = line.slice(3).split(" ");
    else if (separator > 0) pairs.push([line.slice(0, separator), line.slice(separator + 1)]);
  }
  return {
    values: new Map(pairs),
    sections,
    list: (key) => pairs.filter(([name]) => name === key).map(([, value]) => value),
  };
}
