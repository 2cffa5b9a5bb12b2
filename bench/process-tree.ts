import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { readProcessSeconds } from "./process-time";

/** What the processes below one cost: those that it started, those that these started, and so on. */
export interface TreeCost {
  /** Processor seconds so far. An ended process counts if its parent has waited for it. */
  readonly seconds: number;
  /** The most memory that they held at a time. */
  readonly peakMegabytes: number;
  /** The same, with the memory of the process above them. */
  readonly peakWithTopMegabytes: number;
  /** The most processes at a time. */
  readonly peakCount: number;
}

export interface TreeWatch {
  /** Reads what they cost now. Between two looks, a peak is missed. */
  look(): void;
  readonly cost: TreeCost;
}

/** Watches the processes below one. */
export function watchTree(pid: string): TreeWatch {
  requireFiles();
  let cost: TreeCost = { seconds: 0, peakMegabytes: 0, peakWithTopMegabytes: 0, peakCount: 0 };
  const look = (): void => {
    const topMegabytes = readResident(pid);
    // From the top down: what ends meanwhile is missed in this look. The other way, it would count twice.
    const { ofChildren } = readProcessSeconds(pid);
    const below = listBelow(pid, readlinkSync(`/proc/${pid}/exe`));
    const seconds = below.reduce((sum, one) => sum + one.seconds, ofChildren);
    const megabytes = below.reduce((sum, one) => sum + one.megabytes, 0);
    cost = {
      seconds: Math.max(cost.seconds, seconds),
      peakMegabytes: Math.max(cost.peakMegabytes, megabytes),
      peakWithTopMegabytes: Math.max(cost.peakWithTopMegabytes, topMegabytes + megabytes),
      peakCount: Math.max(cost.peakCount, below.length),
    };
  };
  return {
    look,
    get cost() {
      return cost;
    },
  };
}

/** Without this, a kernel that does not tell would look like one without processes. */
function requireFiles(): void {
  for (const file of [`/proc/self/task/${process.pid}/children`, "/proc/self/smaps_rollup"]) {
    if (!existsSync(file)) throw new Error(`this kernel has no ${file} (CONFIG_PROC_CHILDREN, Linux 4.14)`);
  }
}

/** Lists the processes that a process has started and not yet waited for. */
export function listChildren(pid: string): readonly string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    unlessGone(() => {
      return readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" ").filter(Boolean);
    }),
  );
}

/** Megabytes that a process has in memory, those included that it shares with others. */
export function readResident(pid: string): number {
  return readMegabytes(`/proc/${pid}/status`, "VmRSS");
}

interface Below {
  readonly seconds: number;
  readonly megabytes: number;
}

/**
 * @param program the program at the top. What runs it, too, was forked a moment ago: its memory is still its parent's.
 */
function listBelow(pid: string, program: string): readonly Below[] {
  return listChildren(pid).flatMap((child) =>
    unlessGone(() => {
      if (readlinkSync(`/proc/${child}/exe`) === program) return [];
      const { own, ofChildren } = readProcessSeconds(child);
      // Each has its share of what several have: the pages of a program are in memory once.
      const megabytes = readMegabytes(`/proc/${child}/smaps_rollup`, "Pss");
      return [{ seconds: own + ofChildren, megabytes }, ...listBelow(child, program)];
    }),
  );
}

function readMegabytes(file: string, name: string): number {
  const [, kilobytes = "0"] = new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readFileSync(file, "utf8")) ?? [];
  return Number(kilobytes) / 1_024;
}

/** Lists nothing of a process or thread that ended while it was looked at. */
function unlessGone<T>(list: () => readonly T[]): readonly T[] {
  try {
    return list();
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** Whether a file of /proc could not be read because its process has ended. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH");
}
