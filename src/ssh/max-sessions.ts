import { KnockgateError } from "../errors.js";

/**
 * sshd refuses a command beyond MaxSessions, and counts one that has ended for some moments longer. So where it allows
 * one command at a time, the next may have to wait.
 */
export const startTries = 20;
export const startPauseMs = 100;

export function refuseCommand(name: string, cause?: Error): KnockgateError {
  const message = `${name}: it does not run a command: see MaxSessions in sshd_config(5)`;
  return new KnockgateError("HOST_UNFIT", message, { cause });
}
