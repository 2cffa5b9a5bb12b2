import { randomBytes } from "node:crypto";
import { unreachable } from "../errors.js";
import type { SshClient } from "./client.js";
import type { CommandResult } from "./host.js";
import { joinWords } from "./quote-shell.js";
import type { ShellSession } from "./shell-session.js";

/** An sh that we started and that has proved it. Nothing that others may not read is sent before that. */
export interface OwnShell {
  readonly conversation: ShellSession;
  /** What precedes each word that `say` prints. */
  readonly mark: string;
  /** The line that `await_go` waits for, with its line break. */
  readonly go: string;
}

/** What answered where an sh should have started. */
export type Greeting =
  | { readonly kind: "sh"; readonly shell: OwnShell }
  /** Something else. `how` completes a sentence about what did not run. */
  | { readonly kind: "stranger"; readonly how: string };

/**
 * Lets the other side's login shell start an sh, and waits until that sh proves that it is ours. What either output has
 * before that is from startup files and banners, and is dropped. The proof costs no round trip: the sh sends it
 * unasked.
 *
 * @param write returns the script that the sh runs then, and its `$1` and further arguments. They can use the functions
 *   `say WORD` and `await_go` once they have them. They hold no single quote, line break or exclamation mark, so that
 *   every login shell leaves them unchanged.
 */
export async function greetShell(
  client: SshClient,
  write: (functions: string) => readonly [script: string, ...words: string[]],
  timeoutMs: number,
): Promise<Greeting> {
  const [mark, go, lure] = [makeToken(), makeToken(), makeToken()];
  const functions = defineFunctions(mark, go);
  const [script, ...words] = write(functions);
  const command = joinWords(["sh", "-c", `${functions}; say here; ${script}`, "sh", ...words]);
  // If another shell reads our input, it runs this line and so shows itself. Our sh skips the line.
  const hint = `echo ${halve(lure).join('""')}; exit\n`;
  const conversation = client.converse(command, hint);
  const heard = await conversation.hear(mark, timeoutMs);
  switch (heard.kind) {
    case "word":
      return { kind: "sh", shell: { conversation, mark, go: `${go}\n` } };
    case "merged":
      return {
        kind: "stranger",
        how: `: its standard output and standard error come as one. ${mergers} must keep them apart`,
      };
    case "ended":
      return { kind: "stranger", how: explainEnd(client, heard.result, lure, [command, hint.trim()]) };
    default:
      return unreachable(heard);
  }
}

const mergers = "A ForceCommand or another login shell, which may give it a terminal or write `2>&1`,";

/**
 * The mark is sent in two halves only, so that an echo of our input does not look like the mark. `read` takes no byte
 * beyond its line (read in POSIX).
 */
function defineFunctions(mark: string, go: string): string {
  const halves = halve(mark).join(" ");
  return [
    `say() { printf "%s%s %s\\n" ${halves} "$1"; printf "%s%s\\n" ${halves} >&2; }`,
    `await_go() { while IFS= read -r l; do case $l in ${go}) return ;; esac; done; exit 0; }`,
  ].join("; ");
}

/** Nothing secret was sent until then, so the output may be quoted. */
function explainEnd(
  client: SshClient,
  { code, stdout, stderr }: CommandResult,
  lure: string,
  sent: readonly string[],
): string {
  if (stdout.includes(lure)) {
    return (
      " because another shell read what it was sent: a startup file such as ~/.bashrc, or a ForceCommand, starts one. " +
      "Start it only where there is a terminal, or log in as another user"
    );
  }
  const left = sent.reduce((text, part) => text.replaceAll(part, ""), `${stdout}\n${stderr}`);
  // Output that repeats our command in another form says nothing.
  const said = left.includes("await_go") ? "" : left;
  return (
    ` (exit code ${code}${client.quote(said)}): is another login shell or a ForceCommand in the way? ` +
    "Log in as another user, or let this one run `sh`"
  );
}

function halve(token: string): [string, string] {
  return [token.slice(0, token.length / 2), token.slice(token.length / 2)];
}

export function makeToken(): string {
  return randomBytes(16).toString("hex");
}
