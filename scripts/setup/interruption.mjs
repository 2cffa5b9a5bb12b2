import { constants } from "node:os";
import { signalGroup } from "../signal-group.mjs";

/** How long children may take to end by themselves once we were asked to stop. */
const graceMs = 10_000;

/** @type {Set<() => void>} */
const cleanups = new Set();
/** @type {Set<{ process: import("node:child_process").ChildProcess, mustFinish: boolean }>} */
const children = new Set();
let leaving = false;

/**
 * Has `cleanup` run when this process ends, whatever ends it (only SIGKILL can't be seen).
 * @param {() => void} cleanup synchronous
 * @returns {() => void} runs it now instead
 */
export function onLeaving(cleanup) {
  cleanups.add(cleanup);
  return () => {
    cleanups.delete(cleanup);
    cleanup();
  };
}

/**
 * Has a child stopped when this process is asked to stop. The child leads a process group of its own, so
 * that all of its descendants can be reached. One that must finish is only asked (SIGINT), and waited for:
 * apt ends at once while it downloads, but not in the middle of unpacking.
 * @param {import("node:child_process").ChildProcess} child
 * @param {boolean} mustFinish
 */
export function stopOnLeaving(child, mustFinish) {
  const entry = { process: child, mustFinish };
  children.add(entry);
  child.once("close", () => children.delete(entry));
}

/** Whether a signal asked this process to stop. */
export function isLeaving() {
  return leaving;
}

process.on("exit", () => {
  for (const cleanup of cleanups) cleanup();
});

for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => {
    // npm passes on the SIGINT which the terminal sent us too: the second one says nothing new.
    if (leaving) return;
    leaving = true;
    process.stdout.write(`\nsetup: stopped by ${signal}, cleaning up\n`);
    void stopChildren().then(() => process.exit(128 + constants.signals[signal]));
  });
}

async function stopChildren() {
  const ends = [...children].map(
    ({ process: child, mustFinish }) =>
      new Promise((resolve) => {
        child.once("close", resolve);
        if (mustFinish) child.kill("SIGINT");
        else {
          signalGroup(child, "SIGTERM");
          setTimeout(() => signalGroup(child, "SIGKILL"), graceMs).unref();
        }
      }),
  );
  await Promise.all(ends);
}
