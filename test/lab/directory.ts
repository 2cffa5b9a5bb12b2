import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const open = new Set<string>();
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Makes a folder (0700) that is removed at the latest when this process ends. */
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

/** Listening takes the signal's own effect away; whoever else listens decides what happens then. */
function endBySignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 1) process.exit(1); // "exit" removes the folders
}
