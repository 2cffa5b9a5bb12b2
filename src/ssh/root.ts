import { KnockgateError } from "../errors.js";
import type { SshClient } from "./client.js";
import type { CommandResult, HostConnection, Program } from "./host.js";
import { makeToken, type OwnShell } from "./own-shell.js";
import { startClock } from "./retry.js";
import { isUnfit, refuseUnfit, startRootShell } from "./root-shell.js";

/** A root shell that is kept open: it still has the functions that it was sent before. */
interface RootShell {
  readonly isOpen: boolean;
  run(program: Program, timeoutMs: number): Promise<CommandResult>;
}

/** What is known of a host's shell: it is the same one on each connection of a login. */
export interface RootHost {
  /** Whether its sh was tried, and fits. */
  isTried: boolean;
}

/**
 * Runs programs as root over an SSH connection. One shell runs them one after the other, so that only the first opens a
 * channel and sudo is asked once. Programs that run at the same time have a shell each.
 */
export function becomeRoot(
  client: SshClient,
  sudoPassword: string | undefined,
  host: RootHost = { isTried: false },
): HostConnection {
  const idle: RootShell[] = [];
  let first: Promise<unknown> | undefined;
  const runBy = async (shell: RootShell, program: Program, timeoutMs: number): Promise<CommandResult> => {
    const result = await shell.run(program, timeoutMs);
    if (shell.isOpen) idle.push(shell);
    return result;
  };
  const passOn = (error: unknown): void => {
    // A second try with a wrong password would count as well, and may lock the user out.
    if (error instanceof KnockgateError && error.code === "NOT_ALLOWED") throw error;
  };
  return {
    run: async (program, timeoutMs) => {
      if (first !== undefined) await first.catch(passOn);
      const shell = takeOpen(idle) ?? openRootShell(client, sudoPassword, host);
      const running = runBy(shell, program, timeoutMs);
      first ??= running;
      return running;
    },
    close: () => client.close(),
  };
}

/** Skips shells that have ended meanwhile. */
function takeOpen(idle: RootShell[]): RootShell | undefined {
  const shell = idle.pop();
  return shell === undefined || shell.isOpen ? shell : takeOpen(idle);
}

function openRootShell(client: SshClient, sudoPassword: string | undefined, host: RootHost): RootShell {
  let shell: OwnShell | undefined;
  let known: string | undefined;
  return {
    get isOpen() {
      return shell?.conversation.isOpen ?? false;
    },
    run: async ({ functions = "", commands }, timeoutMs) => {
      const leftMs = startClock(timeoutMs);
      let go = "";
      if (shell === undefined) {
        shell = await startRootShell(client, sudoPassword, leftMs(), host.isTried);
        go = shell.go;
      }
      const mark = makeToken();
      const program = frameProgram(functions === known ? "" : functions, commands, mark);
      known = functions;
      const result = await shell.conversation.send(`${go}${program}`, mark, leftMs(), timeoutMs);
      if (isUnfit(result, shell)) throw refuseUnfit(client);
      host.isTried = true;
      return result;
    },
  };
}

/**
 * Writes the input of a shell for one program, with the marks that end its output. A shell reads a compound command to
 * its end before it runs any of it. So nothing runs, and no lock is held, while the network may still fail to bring the
 * rest. The variables that the commands set end with them, and so does an exit; only the functions stay.
 */
export function frameProgram(functions: string, commands: string, mark: string): string {
  return `{\n${functions}(\n${commands}) </dev/null\nprintf '%s %s\\n' ${mark} "$?"\necho ${mark} >&2\n}\n`;
}
