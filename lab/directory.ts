import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const open = new Set<string>();
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Makes a folder (0700). It is removed when this process ends, or before. */
export function makeDirectory(): string {
  if (open.size === 0) {
    process.on("exit", removeAll);
    for (const signal of signals) process.on(signal, endBySignal);
  }
  const directory = mkdtempSync(join(tmpdir(), "knockgate-lab-"));
  open.add(directory);
  return directory;
}

export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
  open.delete(directory);
  if (open.size === 0) {
    process.off("exit", removeAll);
    for (const signal of signals) process.off(signal, endBySignal);
  }
}

function removeAll(): void {
  for (const directory of open) rmSync(directory, { recursive: true, force: true });
}

/** A listener disables the signal's default action. If there are other listeners, they decide. */
function endBySignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 1) process.exit(1); // "exit" removes the folders
}
