import os from "node:os";

/** The user's home folder; `undefined` where neither HOME nor the system's list of users has one. */
export function findHome(): string | undefined {
  try {
    return process.env["HOME"] || os.homedir() || undefined;
  } catch {
    // A user id without an entry in the list of users, as in containers.
    return undefined;
  }
}
