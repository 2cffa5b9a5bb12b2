import { readdirSync, readlinkSync } from "node:fs";
import { readProcessSeconds } from "../process-time";

/**
 * Processor seconds of all hosts of labs so far, ended processes included: a process's time goes to the process that
 * waited for it, which on a host is its sshd or its first process.
 */
export function readHostSeconds(): number {
  const ours = readlinkSync("/proc/self/ns/pid");
  let seconds = 0;
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      if (readlinkSync(`/proc/${pid}/ns/pid`) === ours) continue;
      const { own, ofChildren } = readProcessSeconds(pid);
      seconds += own + ofChildren;
    } catch {
      // It ended just now.
    }
  }
  return seconds;
}
