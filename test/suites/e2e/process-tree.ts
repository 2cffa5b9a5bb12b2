import { readdirSync, readFileSync } from "node:fs";

/** Ends a process and all its descendants at once, without a chance to clean up. Finds them only by their parents. */
export function killTree(pid: number): readonly number[] {
  const tree = [pid, ...listDescendants(pid)];
  for (const member of tree) process.kill(member, "SIGKILL");
  return tree;
}

function listDescendants(pid: number): readonly number[] {
  const children = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && readParent(name) === pid);
  return children.map(Number).flatMap((child) => [child, ...listDescendants(child)]);
}

/** The fourth field of /proc/PID/stat; the second, in brackets, may hold anything (proc(5)). */
function readParent(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined; // it has ended meanwhile
  }
}
