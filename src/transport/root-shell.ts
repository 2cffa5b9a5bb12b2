import { type ErrorCode, KnockgateError } from "../errors.js";
import { greetShell, type OwnShell } from "./own-shell.js";
import { startClock } from "./patience.js";
import { explainDoas, explainPasswordRefusal, explainSudo, wantsPassword } from "./root-refusal.js";
import type { SshClient } from "./ssh.js";

/**
 * Starts an sh of root on the other side, by sudo or doas where the login is not root, and waits until that says that it
 * is there: so what sudo reads ahead is never part of a program. A password is sent only when our own sh asks for it.
 *
 * @throws KnockgateError `NOT_ALLOWED`, `HOST_UNFIT`, `HOST_FAILED`, and as a conversation does
 */
export async function startRootShell(
  client: SshClient,
  password: string | undefined,
  timeoutMs: number,
): Promise<OwnShell> {
  const leftMs = startClock(timeoutMs);
  const fail = (code: ErrorCode, why: string) => new KnockgateError(code, `${client.name}: ${why}.`);
  const refuse = (why: string) => fail("NOT_ALLOWED", `is not root, and ${why}`);
  const greeting = await greetShell(
    client,
    (functions) => [findWay, awaitAsRoot(functions), tryShell],
    leftMs(),
  );
  if (greeting.kind === "stranger") throw fail("HOST_FAILED", `it did not run sh${greeting.how}`);
  const { shell } = greeting;
  for (let input = ""; ; ) {
    const heard = await shell.conversation.hear(shell.mark, leftMs(), input);
    // What is before a word is what our own sh quotes.
    const said = heard.kind === "word" ? heard.before : "";
    switch (heard.kind === "word" ? heard.word : "") {
      case "root":
        return shell;
      case "none":
        throw refuse("there is no sudo there, nor doas. Log in as root, or install sudo");
      case "doas":
        throw refuse(explainDoas(said));
      case "sudo":
        if (!wantsPassword(said)) throw refuse(explainSudo(said));
        if (password === undefined) {
          throw refuse(
            "sudo wants a password. Set connection.sudoPassword, or let this user run `sh` by sudo without one",
          );
        }
        // For a try with nothing to do, and for what is to run.
        input = `${shell.go}${`${password}\n`.repeat(2)}`;
        break;
      case "refused":
        throw refuse(explainPasswordRefusal(said));
      case "unfit":
        throw fail("HOST_UNFIT", shellLacks);
      case "no printf":
        throw fail(
          "HOST_UNFIT",
          "its sh has no `printf` of its own, so that others there could see the password",
        );
      default:
        throw fail("HOST_FAILED", "the shell of root ended before it said that it is there");
    }
  }
}

const shellLacks =
  "its /bin/sh differs from what the host's part needs (descriptors kept and closed, `-s`, `case`), so that a lock could " +
  "be left behind there. Nothing was run by it. Make dash, bash or busybox the host's /bin/sh";

/**
 * What root runs: it says that it is there, and becomes the shell that the host's timers and units use, too. The functions
 * are those of a shell of our own.
 */
function awaitAsRoot(functions: string): string {
  return [
    functions,
    'case $(printf "%s\\n" "$2" | /bin/sh -s -- x 2>&1) in fit) w=root ;; *) w=unfit ;; esac',
    'say "$w"',
    "await_go",
    'exec /bin/sh -s -- "$1"',
  ].join("; ");
}

/**
 * What the host's part needs and POSIX leaves open: a descriptor above 2, which holds the lock, stays open in commands
 * (exec in POSIX; not so in mksh), and a command in the background has no shell behind it that keeps what was closed for
 * the command (so in yash). And what some do otherwise than POSIX says: posh has no `-s`, and a case that fits nothing
 * fails in ksh93 with the command whose words it looked at (2.9.4.3).
 */
const tryShell =
  'exec 9</; if ls /proc/self/fd/9 >/dev/null 2>&1 && case $(false) in x) ;; esac; then /bin/sh -c "[ \\$PPID = $$ ] && echo fit" 9<&- & fi; wait';

const shell = 'sh -c "$1" sh "$SSH_CONNECTION" "$2"';

/**
 * Finds out how a login becomes root, and becomes the shell of root, or says why it can't. A password is a line of
 * standard input; `read` and `printf` are the shell's own, so that it stands in no argv, and it is exported to no
 * environment. `-k` makes a password that sudo remembers count for nothing: what works must not depend on who logged in
 * when.
 *
 * sudo is tried with the very command that is to run and nothing for it to do. A wrong password is then followed by
 * no line that sudo could take for the next try, and costs one failed try. Its words are in C's language, so that they
 * can be known.
 */
const findWay = [
  `[ "$(id -u)" = 0 ] && exec ${shell}`,
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
