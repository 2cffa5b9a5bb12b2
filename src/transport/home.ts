import os from "node:os";

/** The user's home folder; `undefined` where neither HOME nor the system's list of users has one. */
export function findHome(): string | undefined {
  try {
    return process.env["HOME"] || os.homedir() || undefined;
  } catch {
    // A user id that has no name, as in containers.
    return undefined;
  }
}
