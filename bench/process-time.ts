import { readFileSync } from "node:fs";

/** getconf CLK_TCK; 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** Processor seconds that a process has used so far, with those of its ended children that it waited for (proc(5)). */
export function readProcessSeconds(pid: string): { readonly own: number; readonly ofChildren: number } {
  // The name in parentheses may hold blanks; behind it come user and system time, own and that of children.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  const [user = 0, system = 0, usersOfChildren = 0, systemOfChildren = 0] = fields.slice(11, 15).map(Number);
  return {
    own: (user + system) / ticksPerSecond,
    ofChildren: (usersOfChildren + systemOfChildren) / ticksPerSecond,
  };
}
