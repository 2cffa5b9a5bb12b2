import { spawn } from "node:child_process";
import { constants } from "node:os";
import { signalGroup } from "./signal-group.mjs";

/**
 * Runs a command on this process's own input and output. Passes a signal that would end this process to the command, so
 * that the command can clean up. Kills the command if it has not ended `graceSeconds` later.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string>, graceSeconds?: number }} [options]
 * @returns {Promise<number>} its exit code; 128 + n when signal n ended it, as in a shell
 */
export async function runInForeground(command, args, options = {}) {
  const child = spawn(command, args, {
    env: { ...process.env, ...options.env },
    stdio: "inherit",
    // A process group of its own: otherwise the terminal sends each signal a second time.
    detached: true,
  });

  /** @type {NodeJS.Timeout | undefined} */
  let deadline;
  /** @param {NodeJS.Signals} signal */
  const passOn = (signal) => {
    // npm repeats the terminal's SIGINT, and many commands end without cleanup at a second one.
    if (deadline !== undefined) return;
    signalGroup(child, signal);
    deadline = setTimeout(() => signalGroup(child, "SIGKILL"), (options.graceSeconds ?? 10) * 1000);
  };
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
  for (const signal of signals) process.on(signal, passOn);

  try {
    return await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
    });
  } finally {
    clearTimeout(deadline);
    for (const signal of signals) process.off(signal, passOn);
  }
}
