import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { startCommand } from "./command";
import type { LabMachine } from "./machine";

/** Starts a command that has a machine's network and ends with the machine, but sees the files of this repository. */
export function startBeside(
  { pid }: Pick<LabMachine, "pid">,
  argv: readonly string[],
): ChildProcessWithoutNullStreams {
  return startCommand(["nsenter", "--target", String(pid), "--net", "--pid", "--", ...argv]);
}
