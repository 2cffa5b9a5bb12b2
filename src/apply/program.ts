import type { Policy } from "../policy/schema.js";
import { hook } from "../render/iptables-names.js";
import type { Program } from "../transport/host.js";
import { hereDocument, joinWords } from "../transport/shell.js";
import { hostScript } from "./host-script.js";

/** What the host script answers: single values, and sections of text. */
export interface Reply {
  readonly values: ReadonlyMap<string, string>;
  readonly sections: ReadonlyMap<string, string>;
  /** Values that may come more than once. */
  list(key: string): readonly string[];
}

/** What the host script says by its exit code, where that makes a difference here. */
export const exitCodes = { pending: 11, refused: 12 } as const;

/** What the host's script calls a backend: for iptables with the table that the policy's scope means. */
export type HostBackend = "nftables" | `iptables_${string}`;

export function nameBackend(policy: Policy): HostBackend {
  return policy.backend === "nftables" ? "nftables" : `iptables_${hook(policy.scope).table}`;
}

/** Writes a program that runs one command of the host script. */
export function commandProgram(words: readonly string[]): Program {
  return { functions: hostScript, commands: `main ${joinWords(words)}\n` };
}

/** Writes the program that looks at a host; sshd's SSH_CONNECTION tells it who asks. */
export function probeProgram(policy: string, backend: HostBackend): Program {
  return { functions: hostScript, commands: `main probe ${joinWords([policy, backend])} "$1"\n` };
}

export interface StagedFiles {
  readonly ruleset: string;
  readonly load: string;
  readonly owner: string;
  readonly backend: HostBackend;
}

/** Writes the program that stages a change: one program, so that one lock is held over all of it. */
export function stageProgram(policy: string, id: string, digest: string, files: StagedFiles): Program {
  return {
    functions: hostScript,
    commands: [
      `${joinWords(["stage_begin", policy, id])}\n`,
      hereDocument("put_file host.sh", `${hostScript}main "$@"\n`),
      hereDocument("put_file ruleset", files.ruleset),
      hereDocument("put_file load", files.load),
      `${joinWords(["put_line", "owner", files.owner])}\n`,
      `${joinWords(["put_line", "backend", files.backend])}\n`,
      `${joinWords(["stage_end", digest])}\n`,
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
