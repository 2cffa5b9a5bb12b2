import { type ErrorCode, KnockgateError } from "../errors.js";
import type { SshClient } from "./client.js";
import type { CommandResult } from "./host.js";
import { greetShell, type OwnShell } from "./own-shell.js";
import { startClock } from "./retry.js";
import { explainDoas, explainPasswordRefusal, explainSudo, wantsPassword } from "./root-refusal.js";

/**
 * Starts a root sh on the other side, by sudo or doas where the login is not root, and waits until it reports. So sudo
 * never reads a part of a program ahead. A password is sent only when our own sh asks for it.
 *
 * @param isTried whether the host's sh is known to fit. Else it is tried, and what it is sent first has to tell by
 *   `isUnfit`.
 * @throws KnockgateError `NOT_ALLOWED` when the login can't become root; `HOST_UNFIT` when the host's sh has no printf
 *   of its own and a password would be seen; `HOST_FAILED` when no sh ran; and what a conversation throws
 */
export async function startRootShell(
  client: SshClient,
  password: string | undefined,
  timeoutMs: number,
  isTried: boolean,
): Promise<OwnShell> {
  const leftMs = startClock(timeoutMs);
  const fail = (code: ErrorCode, why: string) => new KnockgateError(code, `${client.name}: ${why}.`);
  const refuse = (why: string) => fail("NOT_ALLOWED", `is not root, and ${why}`);
  const greeting = await greetShell(
    client,
    (functions) => [findWay, awaitAsRoot(functions, isTried), tryShell],
    leftMs(),
  );
  if (greeting.kind === "stranger") throw fail("HOST_FAILED", `it did not run sh${greeting.how}`);
  const { shell } = greeting;
  for (let input = ""; ; ) {
    const heard = await shell.conversation.hear(shell.mark, leftMs(), input);
    // The text before a word is what our own sh quotes: the output of sudo or doas.
    const said = heard.kind === "word" ? heard.before : "";
    switch (heard.kind === "word" ? heard.word : "") {
      case "root":
        return shell;
      case "none":
        throw refuse("there is no sudo there, and no doas. Log in as root, or install sudo");
      case "doas":
        throw refuse(explainDoas(said));
      case "sudo":
        if (!wantsPassword(said)) throw refuse(explainSudo(said));
        if (password === undefined) {
          throw refuse(
            "sudo asks for a password. Set connection.sudoPassword, or let this user run `sh` by sudo without one",
          );
        }
        // Once for sudo with an empty program, once for the real one.
        input = `${shell.go}${`${password}\n`.repeat(2)}`;
        break;
      case "refused":
        throw refuse(explainPasswordRefusal(said));
      case "no printf":
        throw fail(
          "HOST_UNFIT",
          "its sh has no built-in `printf`, so other users there could see the password",
        );
      default:
        throw fail("HOST_FAILED", "the shell of root ended before it reported that it had started");
    }
  }
}

const shellLacks =
  "its /bin/sh differs from what Knockgate's host script needs (descriptors kept and closed, `-s`, `case`), so a lock could " +
  "be left behind there. Nothing was run by it. Make dash, bash or busybox the host's /bin/sh";

/**
 * The script that root runs: it reports, and becomes the shell that the host's timers and units use, too. That shell is
 * tried after the report, while the first program is on its way. The functions are those of `greetShell`.
 */
function awaitAsRoot(functions: string, isTried: boolean): string {
  return [
    functions,
    "say root",
    ...(isTried ? [] : ['w=$(/bin/sh -sc "$2" </dev/null 2>&1)']),
    "await_go",
    ...(isTried ? [] : ['[ "$w" = fit ] || { say unfit; exit 0; }']),
    'exec /bin/sh -s -- "$1"',
  ].join("; ");
}

/** Whether a shell that was to run a program reported that the host's sh does not fit, and ran nothing. */
export function isUnfit({ stdout }: CommandResult, { mark }: OwnShell): boolean {
  return stdout === `${mark} unfit\n`;
}

export function refuseUnfit(client: SshClient): KnockgateError {
  return new KnockgateError("HOST_UNFIT", `${client.name}: ${shellLacks}.`);
}

/**
 * Tests what the host script needs and POSIX leaves open. A descriptor above 2, which holds the lock, must stay open in
 * commands (exec in POSIX; mksh closes it). And no extra shell may stand behind a command in the background and keep
 * what was closed for the command (yash has one). It also tests where shells differ from POSIX: posh has no `-s`, and
 * in ksh93 a `case` that matches nothing fails with the status of the command in its word (2.9.4.3). It is run with `-sc`,
 * which must have no input: a shell with `-s` reads on after that.
 */
const tryShell =
  'exec 8</ 9</; if case $(false) in x) ;; esac; then /bin/sh -c "[ \\$PPID = $$ ] && [ -e /proc/self/fd/8 ] && echo fit" 9<&- & fi; wait';

const shell = 'sh -c "$1" sh "$SSH_CONNECTION" "$2"';

/**
 * Finds out how a login becomes root, and becomes the root shell, or says why it can't. The password is a line of
 * standard input. `read` and `printf` are built into the shell, so the password is in no argv, and it is not exported
 * to an environment. `-k` makes sudo ignore a password that it remembers: the result must not depend on earlier logins.
 *
 * sudo is first tried with the same command and an empty program. After a wrong password there is then no further line
 * that sudo could take for the next try, so it costs one failed try. Its messages are in the C locale, so that we can
 * recognize them.
 */
const findWay = [
  // Root owns `/` nearly everywhere, and to ask for that starts no process.
  `{ [ -O / ] || [ "$(id -u)" = 0 ]; } 2>/dev/null && { s=$1; set -- "$SSH_CONNECTION" "$2"; eval "$s"; exit; }`,
  "w=none",
  'if [ -x "$(command -v sudo)" ]; then w=sudo',
  `s=$(LC_ALL=C sudo -k -n -- ${shell} 2>&1 >/dev/null </dev/null) && exec sudo -k -n -- ${shell}`,
  "fi",
  'if [ -x "$(command -v doas)" ]; then',
  `d=$(LC_ALL=C doas -n ${shell} 2>&1 >/dev/null </dev/null) && exec doas -n ${shell}`,
  '[ "$w" = sudo ] || { w=doas; s=$d; }',
  "fi",
  '[ "$w" = none ] || printf "%s\\n" "$s"',
  'case $w$(command -v printf) in sudo/*) w="no printf" ;; esac',
  'say "$w"',
  '[ "$w" = sudo ] || exit 0',
  "await_go",
  "IFS= read -r p",
  `s=$(printf "%s\\n" "$p" | LC_ALL=C sudo -k -S -- ${shell} 2>&1 >/dev/null) && exec sudo -k -S -- ${shell}`,
  'case $s in *"$p"*) s= ;; esac',
  'printf "%s\\n" "$s"',
  "say refused",
]
  .join("; ")
  .replaceAll("then;", "then");
