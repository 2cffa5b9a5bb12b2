import { randomBytes } from "node:crypto";
import { KnockgateError } from "../errors.js";
import type { CommandResult, HostConnection } from "./host.js";
import { quoteLine } from "./quote-line.js";
import type { SshClient } from "./ssh.js";

/** How a login becomes root: it is, sudo lets it, or sudo lets it when it gives a password. */
type RootWay = "root" | "sudo" | "password";

const shell = 'sh -s -- "$SSH_CONNECTION"';

const commands: Readonly<Record<RootWay, string>> = {
  root: asShell(`exec ${shell}`),
  sudo: asShell(`exec sudo -k -n -- ${shell}`),
  password: asShell(`IFS= read -r p; { printf "%s\\n" "$p"; cat; } | sudo -k -S -p "" -- ${shell}`),
};

/** Lets programs run as root over an SSH connection. */
export function becomeRoot(client: SshClient, sudoPassword: string | undefined): HostConnection {
  let way: Promise<RootWay> | undefined;
  const runFirst = async (program: string, timeoutMs: number): Promise<CommandResult | undefined> => {
    const first = findRootWay(client, sudoPassword, program, timeoutMs);
    way = first.then((found) => found.way);
    way.catch(() => undefined); // thrown where it is awaited
    return (await first).result;
  };
  return {
    run: async (program, timeoutMs): Promise<CommandResult> => {
      const result = way === undefined ? await runFirst(program, timeoutMs) : undefined;
      if (result !== undefined) return result;
      const found = await way;
      if (found === undefined) throw new Error("the first command did not look for a way");
      const input = found === "password" ? `${sudoPassword}\n${program}` : program;
      return client.run(commands[found], input, timeoutMs);
    },
    close: () => client.close(),
  };
}

interface FoundWay {
  readonly way: RootWay;
  /** Of the program: it has run already where no other command is needed. */
  readonly result?: CommandResult;
}

/**
 * Looks for the way by a command that also runs the program if the login is root, so that who is root needs no command
 * more. The answer is a line that nobody else can have written, because sudo's own words differ by version and language,
 * and a program's by program.
 */
async function findRootWay(
  client: SshClient,
  sudoPassword: string | undefined,
  program: string,
  timeoutMs: number,
): Promise<FoundWay> {
  const token = randomBytes(16).toString("hex");
  const input = `${sudoPassword ?? ""}\n${program}`;
  const { code, stdout, stderr } = await client.run(asShell(askWay(token)), input, timeoutMs);
  const [line, said] = new RegExp(`^${token} (.*)\n`, "m").exec(stdout) ?? [];
  switch (said) {
    case "root":
      return { way: said, result: { code, stdout: stdout.replace(line ?? "", ""), stderr } };
    case "sudo":
    case "password":
      return { way: said };
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

/**
 * The password is the first line of standard input; `read` and `printf` are the shell's own, so that it stands in no
 * argv, and it is exported to no environment. `read` takes no byte more than that line (read in POSIX), so that the
 * program is left to the shell of root. `-k` makes a password that sudo remembers count for nothing: what works must not
 * depend on who logged in when.
 *
 * sudo is tried with the very command that is to run and nothing for it to do. A wrong password is then followed by
 * no line that sudo could take for the next try, and costs one failed try.
 */
function askWay(token: string): string {
  return [
    "IFS= read -r p",
    `if [ "$(id -u)" = 0 ]; then echo ${token} root; exec ${shell}; fi`,
    'if [ ! -x "$(command -v sudo)" ]; then w="no sudo"',
    `elif sudo -k -n -- ${shell} </dev/null 2>/dev/null; then w=sudo`,
    'elif [ -z "$p" ]; then w="wants password"',
    `elif printf "%s\\n" "$p" | sudo -k -S -p "" -- ${shell} 2>/dev/null; then w=password`,
    "else w=refused; fi",
    `echo ${token} "$w"`,
  ].join("; ");
}

function notAllowed(client: SshClient, why: string): KnockgateError {
  return new KnockgateError("NOT_ALLOWED", `${client.name}: ${why}.`);
}

/** For whatever login shell: within single quotes all of them leave everything as it is that stands here. */
function asShell(program: string): string {
  return `sh -c '${program}'`;
}
