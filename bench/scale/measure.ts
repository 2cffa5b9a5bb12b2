import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { readProcessSeconds } from "../process-time";
import { isGone, readResident, type TreeCost, type TreeWatch, watchTree } from "../process-tree";

/** The processes that take part: the engine, the provider's process, the program, and PostgreSQL if it has the state. */
type Role = "engine" | "provider" | "program" | "database";

interface Cost {
  readonly cpuSeconds: number;
  /** The largest size at any time. */
  readonly peakMegabytes: number;
  /** The largest number of open files, sockets included. */
  readonly peakFiles: number;
}

export interface Measured {
  readonly seconds: number;
  readonly roles: Readonly<Record<Role, Cost>>;
  /** The processes that the provider started, such as ssh. */
  readonly belowProvider: TreeCost;
  /** How much less memory the whole machine had available at the worst moment than at the beginning. */
  readonly machineMegabytes: number;
}

interface Seen {
  readonly role: Role | undefined;
  readonly looks: number;
  readonly firstSeconds: number;
  /** The processes below the provider. */
  readonly below: TreeWatch | undefined;
  seconds: number;
  peakMegabytes: number;
  peakFiles: number;
}

const sampleMs = 200;
/** Looks at an unknown process this many times: a shell may still become the provider. */
const patience = 10;

/** Measures the processes of an act. Reads /proc five times a second. */
export async function measure(act: () => Promise<void>): Promise<Measured> {
  const seen = new Map<string, Seen>();
  const atFirst = readAvailable();
  let least = atFirst;
  const sample = (isFirst: boolean) => {
    least = Math.min(least, readAvailable());
    for (const pid of readdirSync("/proc")) if (/^\d+$/.test(pid)) look(pid, seen, isFirst);
  };
  sample(true);
  const timer = setInterval(() => sample(false), sampleMs);
  const startedMs = performance.now();
  try {
    await act();
  } finally {
    clearInterval(timer);
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  sample(false);
  const cost = (role: Role): Cost => {
    const ones = [...seen.values()].filter((one) => one.role === role);
    return {
      cpuSeconds: sum(ones.map(({ seconds, firstSeconds }) => seconds - firstSeconds)),
      peakMegabytes: Math.max(0, ...ones.map(({ peakMegabytes }) => peakMegabytes)),
      peakFiles: Math.max(0, ...ones.map(({ peakFiles }) => peakFiles)),
    };
  };
  const roles = {
    engine: cost("engine"),
    provider: cost("provider"),
    program: cost("program"),
    database: cost("database"),
  };
  const belowProvider = sumTrees([...seen.values()].flatMap(({ below }) => below?.cost ?? []));
  return { seconds, roles, belowProvider, machineMegabytes: (atFirst - least) / 1_024 };
}

function look(pid: string, seen: Map<string, Seen>, isFirst: boolean): void {
  try {
    const known = seen.get(pid);
    if (known !== undefined && known.role === undefined && known.looks === patience) return;
    const looks = (known?.looks ?? 0) + 1;
    const role = known?.role ?? findRole(pid);
    const nothing = { role, looks, firstSeconds: 0, seconds: 0, peakMegabytes: 0, peakFiles: 0 };
    if (role === undefined) return void seen.set(pid, { ...nothing, below: undefined });
    const { own: seconds } = readProcessSeconds(pid);
    const one = known?.role
      ? known
      : {
          ...nothing,
          // What was there before has already done other work.
          firstSeconds: isFirst ? seconds : 0,
          below: role === "provider" ? watchTree(pid) : undefined,
        };
    one.seconds = seconds;
    one.peakMegabytes = Math.max(one.peakMegabytes, readResident(pid));
    one.peakFiles = Math.max(one.peakFiles, readdirSync(`/proc/${pid}/fd`).length);
    one.below?.look();
    seen.set(pid, one);
  } catch (error) {
    // It may have ended just now.
    if (!isGone(error)) throw error;
  }
}

function findRole(pid: string): Role | undefined {
  if (Number(pid) === process.pid) return "program";
  const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  if (basename(argv[0] ?? "") === "pulumi") return "engine";
  // Its sessions change their title (setproctitle(3)).
  if (/(^|\/)postgres(:|$)/.test(argv[0] ?? "")) return "database";
  return argv.some((word) => word.endsWith("/dynamic-provider")) ? "provider" : undefined;
}

function readAvailable(): number {
  return Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]);
}

/** The engine may start a provider more than once, one after the other. */
function sumTrees(costs: readonly TreeCost[]): TreeCost {
  const most = (pick: (cost: TreeCost) => number) => Math.max(0, ...costs.map(pick));
  return {
    seconds: sum(costs.map(({ seconds }) => seconds)),
    peakMegabytes: most(({ peakMegabytes }) => peakMegabytes),
    peakWithTopMegabytes: most(({ peakWithTopMegabytes }) => peakWithTopMegabytes),
    peakCount: most(({ peakCount }) => peakCount),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
