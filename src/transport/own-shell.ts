import { randomBytes } from "node:crypto";
import { unreachable } from "../errors.js";
import type { Conversation } from "./channel.js";
import type { CommandResult } from "./host.js";
import { joinWords } from "./shell.js";
import type { SshClient } from "./ssh.js";

/** An sh that we started, and that has said so: only now is anything sent that not everybody may read. */
export interface OwnShell {
  readonly conversation: Conversation;
  /** What stands before each word that its `say` says. */
  readonly mark: string;
  /** The line that its `await_go` waits for, with its line break. */
  readonly go: string;
}

/** Who answered where an sh was to be started. */
export type Greeting =
  | { readonly kind: "sh"; readonly shell: OwnShell }
  /** Somebody else. How that was seen goes on a sentence that says what did not run. */
  | { readonly kind: "stranger"; readonly how: string };

/**
 * Starts an sh by the login shell of the other side, and waits until it says that it is ours. What was printed before
 * that, on both outputs, is of startup files and banners, and dropped. No time is lost: it says so unasked.
 *
 * @param write writes what the sh runs then, and its `$1` and those that follow. They can use the functions `say WORD`
 *   and `await_go` once they have them. They hold no single quote, line break or exclamation mark, so that a login shell
 *   of any kind leaves them as they are.
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
  // Another shell that reads what is meant for ours runs this, and is known by it; ours skips it.
  const hint = `echo ${halve(lure).join('""')}; exit\n`;
  const conversation = client.converse(command, hint);
  const heard = await conversation.hear(mark, timeoutMs);
  switch (heard.kind) {
    case "word":
      return { kind: "sh", shell: { conversation, mark, go: `${go}\n` } };
    case "merged":
      return { kind: "stranger", how: `: its two outputs come as one. ${mergers} must leave them apart` };
    case "ended":
      return { kind: "stranger", how: explainEnd(client, heard.result, lure, [command, hint.trim()]) };
    default:
      return unreachable(heard);
  }
}

const mergers = "A ForceCommand or another login shell, which may give it a terminal or write `2>&1`,";

/**
 * No text that is sent holds the mark as it is said, so that nothing that repeats what it is sent can seem to say it.
 * `read` takes no byte more than a line (read in POSIX).
 */
function defineFunctions(mark: string, go: string): string {
  const halves = halve(mark).join(" ");
  return [
    `say() { printf "%s%s %s\\n" ${halves} "$1"; printf "%s%s\\n" ${halves} >&2; }`,
    `await_go() { while IFS= read -r l; do case $l in ${go}) return ;; esac; done; exit 0; }`,
  ].join("; ");
}

/** Nothing secret was sent until then, so what was said may be quoted. */
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
  // What repeats the command in words of its own says nothing.
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
