import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { readFileSync } from "node:fs";
import { type CommandOptions, type CommandResult, finishCommand, startCommand } from "./command";
import type { Namespaces } from "./namespaces";

/** A machine of the lab with an address of its own. */
export interface LabMachine {
  readonly name: string;
  readonly ipv4: string;
  readonly ipv6: string;
  /** Its first process, by its pid in the outside. */
  readonly pid: number;
  /** Runs a command as root inside the machine. */
  run(argv: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Starts a command as root inside the machine. To end it, call the returned process's kill(). */
  spawn(argv: readonly string[]): ChildProcessWithoutNullStreams;
}

export type LabClient = LabMachine;

export interface Addresses {
  readonly ipv4: string;
  readonly ipv6: string;
}

export function placeMachine(namespaces: Namespaces, addresses: Addresses): LabMachine {
  const { name, pid } = namespaces;
  return {
    name,
    pid,
    ...addresses,
    run: (argv, options = {}) => {
      return finishCommand(startInside(pid, argv), `${name}: ${argv.join(" ")}`, options);
    },
    spawn: (argv) => startInside(pid, argv),
  };
}

/**
 * nsenter forks to get into a pid namespace. Signals must go to that child: if nsenter were killed, no process would
 * reap the child, and a pid namespace with an unreaped process in it cannot end.
 */
export function startInside(pid: number, argv: readonly string[]): ChildProcessWithoutNullStreams {
  const enter = ["nsenter", "--target", String(pid), "--net", "--mount", "--uts", "--pid", "--"];
  const child = startCommand([...enter, ...argv]);
  child.kill = (signal) => {
    if (child.exitCode !== null || child.signalCode !== null) return false;
    try {
      const [inner] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").split(" ");
      return process.kill(Number(inner || child.pid), signal);
    } catch {
      return false; // ended just now
    }
  };
  return child;
}
