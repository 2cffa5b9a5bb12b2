import { readdirSync, readlinkSync } from "node:fs";
import { readProcessSeconds } from "../process-time";

/**
 * How many seconds all hosts of labs have computed so far, those processes included that have ended: a process's time
 * goes to whoever waited for it, which on a host is its sshd or its first process.
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
