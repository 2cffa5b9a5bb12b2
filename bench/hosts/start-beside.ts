import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { startCommand } from "../../lab/command";
import type { LabMachine } from "../../lab/machine";

/** Starts a command that has a machine's network and ends with the machine, but sees the files of this repository. */
export function startBeside(machine: LabMachine, argv: readonly string[]): ChildProcessWithoutNullStreams {
  return startCommand(["nsenter", "--target", String(machine.pid), "--net", "--pid", "--", ...argv]);
}
