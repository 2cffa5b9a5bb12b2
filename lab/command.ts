import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { constants } from "node:os";

export interface CommandOptions {
  readonly stdin?: string;
  /** Default 30 000. */
  readonly timeoutMs?: number;
  /** Whether an exit code other than 0 is thrown. Default true. */
  readonly check?: boolean;
}

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** The environment of all processes of the lab, whatever environment the lab's own process has. */
export const commandEnvironment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  LANG: "C.UTF-8",
};

/** Runs a command to its end. */
export function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return finishCommand(startCommand(argv), argv.join(" "), options);
}

export function startCommand(argv: readonly string[]): ChildProcessWithoutNullStreams {
  const [tool = "", ...rest] = argv;
  return spawn(tool, rest, { env: commandEnvironment });
}

/**
 * Resolves when no process holds the command's output any more. A background process may hold it longer than the
 * command.
 */
export function finishCommand(
  child: ChildProcessWithoutNullStreams,
  what: string,
  { stdin = "", timeoutMs = 30_000, check = true }: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill("SIGKILL");
    }, timeoutMs);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.stdin.on("error", () => undefined); // a command may end without reading all
    child.stdin.end(stdin);
    child.on("error", (cause) => {
      clearTimeout(timer);
      reject(new Error(`lab: ${what} cannot be started: ${cause.message}`, { cause }));
    });
    child.on("close", (exitCode, signal) => {
      clearTimeout(timer);
      const code = exitCode ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      const failure = isLate ? `did not end within ${timeoutMs} ms` : `ended with code ${code}`;
      if (isLate || (check && code !== 0)) {
        reject(new Error(`lab: ${what} ${failure}: ${stderr.trim() || stdout.trim()}`));
      } else {
        resolve({ stdout, stderr, code });
      }
    });
  });
}
