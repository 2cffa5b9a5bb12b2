import { randomBytes } from "node:crypto";
import { KnockgateError } from "../errors.js";
import type { CommandResult, HostConnection, Program } from "./host.js";
import { quoteLine } from "./quote-line.js";
import type { SshClient } from "./ssh.js";

/** A shell of root that is kept: it knows by now what it was sent before. */
interface RootShell {
  readonly isOpen: boolean;
  run(program: Program, timeoutMs: number): Promise<CommandResult>;
}

/**
 * Lets programs run as root over an SSH connection: one after the other by one shell, so that only the first has to open
 * a channel, and sudo is asked once. Programs that run at the same time have a shell each.
 */
export function becomeRoot(client: SshClient, sudoPassword: string | undefined): HostConnection {
  const idle: RootShell[] = [];
  let first: Promise<unknown> | undefined;
  const runBy = async (shell: RootShell, program: Program, timeoutMs: number): Promise<CommandResult> => {
    const result = await shell.run(program, timeoutMs);
    if (shell.isOpen) idle.push(shell);
    return result;
  };
  const passOn = (error: unknown): void => {
    // A wrong password that is tried again counts again, and may lock the user out.
    if (error instanceof KnockgateError && error.code === "NOT_ALLOWED") throw error;
  };
  return {
    run: async (program, timeoutMs) => {
      if (first !== undefined) await first.catch(passOn);
      const shell = takeOpen(idle) ?? openRootShell(client, sudoPassword);
      const running = runBy(shell, program, timeoutMs);
      first ??= running;
      return running;
    },
    close: () => client.close(),
  };
}

/** One that has ended meanwhile is of no use. */
function takeOpen(idle: RootShell[]): RootShell | undefined {
  const shell = idle.pop();
  return shell === undefined || shell.isOpen ? shell : takeOpen(idle);
}

function openRootShell(client: SshClient, sudoPassword: string | undefined): RootShell {
  const token = makeToken();
  const conversation = client.converse(asShell(askWay(token)));
  let known: string | undefined;
  /** The password comes twice: `read` takes the first line, sudo the second, if it asks. */
  let greeting = `${sudoPassword ?? ""}\n`.repeat(2);
  return {
    get isOpen() {
      return conversation.isOpen;
    },
    run: async ({ functions = "", commands }, timeoutMs) => {
      const mark = makeToken();
      const program = frameProgram(functions === known ? "" : functions, commands, mark);
      const answer = await conversation.tell(`${greeting}${program}`, mark, timeoutMs);
      known = functions;
      if (greeting === "") return answer;
      greeting = "";
      return readFirst(client, token, answer);
    },
  };
}

/**
 * Writes what a shell reads for one program, and by which it says that it is over. A shell reads a compound command to
 * its end before it runs any of it: so nothing runs, and no lock is held, while the network may still fail to bring the
 * rest. What the commands set, and where they exit, ends with them; only the functions stay.
 */
export function frameProgram(functions: string, commands: string, mark: string): string {
  return `{\n${functions}(\n${commands}) </dev/null\nprintf '%s %s\\n' ${mark} "$?"\necho ${mark} >&2\n}\n`;
}

/**
 * Takes what the shell said of the way off a first answer. That is a line that nobody else can have written, because
 * sudo's own words differ by version and language, and a program's by program.
 */
function readFirst(client: SshClient, token: string, answer: CommandResult): CommandResult {
  const { code, stdout, stderr } = answer;
  const found = new RegExp(`^${token} (.*)\n`, "m").exec(stdout);
  switch (found?.[1]) {
    case "root":
    case "sudo":
    case "password":
      return { code, stdout: stdout.slice(found.index + found[0].length), stderr };
    case "no sudo":
      throw notAllowed(client, "is not root, and there is no sudo there. Log in as root, or install sudo");
    case "wants password":
      throw notAllowed(
        client,
        "is not root, and sudo wants a password. Set connection.sudoPassword, or let this user run `sh` by sudo without one",
      );
    case "refused":
      throw notAllowed(
        client,
        "is not root, and sudo did not take the password, or does not allow this user to run `sh`. " +
          "It was tried once. Check connection.sudoPassword and the host's sudoers",
      );
    default:
      throw new KnockgateError(
        "HOST_FAILED",
        `${client.name}: it did not run sh (exit code ${code}${quoteLine(stderr)}): is another login shell or a ForceCommand in the way?`,
      );
  }
}

const shell = 'sh -s -- "$SSH_CONNECTION"';

/**
 * Finds out how a login becomes root, says so, and becomes the shell of root. A password is a line of standard input;
 * `read` and `printf` are the shell's own, so that it stands in no argv, and it is exported to no environment. `read`
 * takes no byte more than a line (read in POSIX), nor does sudo (-S in sudo(8)), so that the programs are left to the
 * shell of root. `-k` makes a password that sudo remembers count for nothing: what works must not depend on who logged
 * in when.
 *
 * sudo is tried with the very command that is to run and nothing for it to do. A wrong password is then followed by
 * no line that sudo could take for the next try, and costs one failed try.
 */
function askWay(token: string): string {
  return [
    "IFS= read -r p",
    'if [ "$(id -u)" = 0 ]; then w=root',
    'elif [ ! -x "$(command -v sudo)" ]; then w="no sudo"',
    `elif sudo -k -n -- ${shell} </dev/null 2>/dev/null; then w=sudo`,
    'elif [ -z "$p" ]; then w="wants password"',
    `elif printf "%s\\n" "$p" | sudo -k -S -p "" -- ${shell} 2>/dev/null; then w=password`,
    "else w=refused; fi",
    `echo ${token} "$w"`,
    "case $w in root | sudo) IFS= read -r p ;; esac",
    `case $w in root) exec ${shell} ;; sudo) exec sudo -k -n -- ${shell} ;; password) exec sudo -k -S -p "" -- ${shell} ;; esac`,
  ].join("; ");
}

function makeToken(): string {
  return randomBytes(16).toString("hex");
}

function notAllowed(client: SshClient, why: string): KnockgateError {
  return new KnockgateError("NOT_ALLOWED", `${client.name}: ${why}.`);
}

/** For whatever login shell: within single quotes all of them leave everything as it is that stands here. */
function asShell(program: string): string {
  return `sh -c '${program}'`;
}
