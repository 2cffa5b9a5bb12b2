import type { HostBackend } from "../../backends/backend.js";
import type { Program } from "../../ssh/host.js";
import { hereDocument, joinWords, quoteWord } from "../../ssh/quote-shell.js";
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
const functions = `${hereDocument("host_script=$(cat", hostScript)})\neval "$host_script"\n`;

/** Writes a program that runs one command of the host script. */
export function commandProgram(words: readonly string[]): Program {
  return { functions, commands: `main ${joinWords(words)}\n` };
}

/** Writes the program that observes a host. sshd's SSH_CONNECTION tells it the client's address. */
export function probeProgram(policy: string, backend: HostBackend): Program {
  return { functions, commands: `main probe ${joinWords([policy, backend])} "$1"\n` };
}

export interface StagedFiles {
  readonly ruleset: string;
  readonly load: string;
  readonly owner: string;
  readonly backend: HostBackend;
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
      hereDocument("put_file ruleset", files.ruleset),
      hereDocument("put_file load", files.load),
      ...(files.tokens === undefined ? [] : [hereDocument("put_file tokens", files.tokens)]),
      `${joinWords(["put_line", "owner", files.owner])}\n`,
      `${joinWords(["put_line", "backend", files.backend])}\n`,
      ...(files.replaces ?? []).map((name) => `${joinWords(["add_line", "replaces", name])}\n`),
      `${joinWords(["stage_end", digest])}\n`,
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
      `exec sh ${joinWords([script, "confirm", policy, id])}\n`,
    ].join(""),
  };
}

/** Reads what the host script printed: `key=value` lines, and `== name` followed by lines that begin with `|`. */
export function parseReply(stdout: string): Reply {
  const pairs: [string, string][] = [];
  const sections = new Map<string, string>();
  let section = "";
  for (const line of stdout.split("\n")) {
    const separator = line.indexOf("=");
    if (line.startsWith("|")) sections.set(section, `${sections.get(section) ?? ""}${line.slice(1)}\n`);
    else if (line.startsWith("== ")) section = line.slice(3);
    else if (separator > 0) pairs.push([line.slice(0, separator), line.slice(separator + 1)]);
  }
  return {
    values: new Map(pairs),
    sections,
    list: (key) => pairs.filter(([name]) => name === key).map(([, value]) => value),
  };
}
