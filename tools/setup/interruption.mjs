import { constants } from "node:os";
import { signalGroup } from "../signal-group.mjs";

/** The time that children get to end by themselves after we were asked to stop. */
const graceMs = 10_000;

/** @type {Set<() => void>} */
const cleanups = new Set();
/** @type {Set<{ process: import("node:child_process").ChildProcess, mustFinish: boolean }>} */
const children = new Set();
let leaving = false;

/**
 * Runs `cleanup` when this process ends, for whatever reason (except SIGKILL, which no process sees).
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
 * Stops a child when this process is asked to stop. The child leads a process group of its own, so that a signal
 * reaches all of its descendants. A child with `mustFinish` only gets SIGINT, and is waited for: apt ends at once while
 * it downloads, but not in the middle of unpacking.
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
    // npm passes on the SIGINT that the terminal has already sent us: the second one says nothing new.
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
