import { KnockgateError } from "../errors.js";
import type { CommandResult, HostConnection } from "./host.js";
import { quoteLine } from "./quote-line.js";
import type { SshClient } from "./ssh.js";

/** How a login becomes root: it is, sudo lets it, or sudo lets it when it gives a password. */
type RootWay = "root" | "sudo" | "password";

/**
 * The password is the first line of standard input; `read` and `printf` are the shell's own, so that it stands in no
 * argv, and it is exported to no environment. `-k` makes a password that sudo remembers count for nothing: what works
 * must not depend on who logged in when.
 *
 * sudo is tried with the very command that is to run and nothing for it to do. A wrong password is then followed by
 * no line that sudo could take for the next try, and costs one failed try.
 *
 * Answers by exit code, because sudo's own words differ by version and language.
 */
const answers = { root: 0, sudo: 91, password: 92, noSudo: 93, wantsPassword: 94, refused: 95 } as const;
const shell = 'sh -s -- "$SSH_CONNECTION"';
const findWay = [
  "IFS= read -r p",
  `if [ "$(id -u)" = 0 ]; then exit ${answers.root}; fi`,
  `if [ ! -x "$(command -v sudo)" ]; then exit ${answers.noSudo}; fi`,
  `if sudo -k -n -- ${shell} </dev/null; then exit ${answers.sudo}; fi`,
  `if [ -z "$p" ]; then exit ${answers.wantsPassword}; fi`,
  `if printf "%s\\n" "$p" | sudo -k -S -p "" -- ${shell}; then exit ${answers.password}; fi`,
  `exit ${answers.refused}`,
].join("; ");

const commands: Readonly<Record<RootWay, string>> = {
  root: asShell(`exec ${shell}`),
  sudo: asShell(`exec sudo -k -n -- ${shell}`),
  password: asShell(`IFS= read -r p; { printf "%s\\n" "$p"; cat; } | sudo -k -S -p "" -- ${shell}`),
};

/** Lets programs run as root over an SSH connection. */
export function becomeRoot(client: SshClient, sudoPassword: string | undefined): HostConnection {
  let way: Promise<RootWay> | undefined;
  return {
    run: async (program, timeoutMs): Promise<CommandResult> => {
      way ??= findRootWay(client, sudoPassword, timeoutMs);
      const found = await way;
      const input = found === "password" ? `${sudoPassword}\n${program}` : program;
      return client.run(commands[found], input, timeoutMs);
    },
    close: () => client.close(),
  };
}

async function findRootWay(
  client: SshClient,
  sudoPassword: string | undefined,
  timeoutMs: number,
): Promise<RootWay> {
  const { code, stderr } = await client.run(
    asShell(`{ ${findWay}; } 2>/dev/null`),
    `${sudoPassword ?? ""}\n`,
    timeoutMs,
  );
  switch (code) {
    case answers.root:
      return "root";
    case answers.sudo:
      return "sudo";
    case answers.password:
      return "password";
    case answers.noSudo:
      throw notAllowed(client, "is not root, and there is no sudo there. Log in as root, or install sudo");
    case answers.wantsPassword:
      throw notAllowed(
        client,
        "is not root, and sudo wants a password. Set connection.sudoPassword, or let this user run `sh` by sudo without one",
      );
    case answers.refused:
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

function notAllowed(client: SshClient, why: string): KnockgateError {
  return new KnockgateError("NOT_ALLOWED", `${client.name}: ${why}.`);
}

/** For whatever login shell: within single quotes all of them leave everything as it is that stands here. */
function asShell(program: string): string {
  return `sh -c '${program}'`;
}
