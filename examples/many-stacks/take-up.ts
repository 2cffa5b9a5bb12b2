import { hostname } from "node:os";
import { ConcurrentUpdateError, type Stack } from "@pulumi/pulumi/automation";

/** Runs an act on a stack. A lock that a killed run has left does not stop it. */
export async function takeUp(stack: Stack, act: () => Promise<unknown>, say: (line: string) => void) {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof ConcurrentUpdateError)) throw error;
    // The message holds the lines of the locks more than once.
    const lines = new Set(error.message.match(/created by \S+ \(pid \d+\)/g));
    const pids = [...lines].map((line) => findKilled(line, hostname()));
    if (pids.length === 0 || pids.includes(undefined)) throw error;
    say(`a killed run (pid ${pids}) has left it locked: it is unlocked and taken up`);
    await stack.cancel();
    await act();
  }
}

/** The process that made a lock, if it was one of this machine and does not run any more. */
function findKilled(lock: string, machine: string): number | undefined {
  const [, host, text] = /@(\S+) \(pid (\d+)\)/.exec(lock) ?? [];
  const pid = Number(text);
  if (host !== machine) return undefined;
  try {
    process.kill(pid, 0);
    return undefined;
  } catch (error) {
    // A process of another user can't be signalled, but runs.
    return (error as NodeJS.ErrnoException).code === "ESRCH" ? pid : undefined;
  }
}

/**
 * The engine keeps the creations that a killed run has left unfinished, and warns of them in each run, until they are
 * cleared. Contacts no host: of all resources it refreshes only the stack's own.
 */
export async function clearUnfinished(stack: Stack): Promise<void> {
  const { name: project } = await stack.workspace.projectSettings();
  const target = `urn:pulumi:${stack.name}::${project}::pulumi:pulumi:Stack::${project}-${stack.name}`;
  await stack.refresh({ clearPendingCreates: true, target: [target] });
}
