import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { readProcessSeconds } from "../process-time";

/** The processes that take part: the engine, the provider's process and the program. */
type Role = "engine" | "provider" | "program";

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
  /** How much less memory the whole machine had available at the worst moment than at the beginning. */
  readonly machineMegabytes: number;
}

interface Seen {
  readonly role: Role | undefined;
  readonly looks: number;
  readonly firstSeconds: number;
  seconds: number;
  peakKilobytes: number;
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
  const sample = () => {
    least = Math.min(least, readAvailable());
    for (const pid of readdirSync("/proc")) if (/^\d+$/.test(pid)) look(pid, seen);
  };
  sample();
  const timer = setInterval(sample, sampleMs);
  const startedMs = performance.now();
  try {
    await act();
  } finally {
    clearInterval(timer);
  }
  const seconds = (performance.now() - startedMs) / 1_000;
  sample();
  const cost = (role: Role): Cost => {
    const ones = [...seen.values()].filter((one) => one.role === role);
    return {
      cpuSeconds: sum(ones.map(({ seconds, firstSeconds }) => seconds - firstSeconds)),
      peakMegabytes: Math.max(0, ...ones.map(({ peakKilobytes }) => peakKilobytes)) / 1_024,
      peakFiles: Math.max(0, ...ones.map(({ peakFiles }) => peakFiles)),
    };
  };
  const roles = { engine: cost("engine"), provider: cost("provider"), program: cost("program") };
  return { seconds, roles, machineMegabytes: (atFirst - least) / 1_024 };
}

function look(pid: string, seen: Map<string, Seen>): void {
  try {
    const known = seen.get(pid);
    if (known !== undefined && known.role === undefined && known.looks === patience) return;
    const looks = (known?.looks ?? 0) + 1;
    const role = known?.role ?? findRole(pid);
    if (role === undefined)
      return void seen.set(pid, { role, looks, firstSeconds: 0, seconds: 0, peakKilobytes: 0, peakFiles: 0 });
    const { own: seconds } = readProcessSeconds(pid);
    // The program was there before, and has already done other work.
    const one = known?.role
      ? known
      : {
          role,
          looks,
          firstSeconds: role === "program" ? seconds : 0,
          seconds,
          peakKilobytes: 0,
          peakFiles: 0,
        };
    one.seconds = seconds;
    one.peakKilobytes = Math.max(one.peakKilobytes, readResident(pid));
    one.peakFiles = Math.max(one.peakFiles, readdirSync(`/proc/${pid}/fd`).length);
    seen.set(pid, one);
  } catch {
    // It ended just now.
  }
}

function findRole(pid: string): Role | undefined {
  if (Number(pid) === process.pid) return "program";
  const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  if (basename(argv[0] ?? "") === "pulumi") return "engine";
  return argv.some((word) => word.endsWith("/dynamic-provider")) ? "provider" : undefined;
}

function readResident(pid: string): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
}

function readAvailable(): number {
  return Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
