// Loaded into each Node process that the engine starts (NODE_OPTIONS=--require), but active only in the provider's:
// notes how long its event loop was blocked and, if asked, replaces the transport by fake hosts.
const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { isMainThread } = require("node:worker_threads");

const root = join(__dirname, "..", "..");
const beatMs = 5;
const reports = process.env.KNOCKGATE_SCALE_REPORTS;
if (isMainThread && reports !== undefined && /dynamic-provider/.test(process.argv[1] ?? "")) watch(reports);

/** @param {string} folder */
function watch(folder) {
  if (process.env.KNOCKGATE_SCALE_FAKE !== undefined) {
    const { putFakesInPlace } = require("./fake-transport.cjs");
    putFakesInPlace(root, process.env.KNOCKGATE_SCALE_FAKE);
  }
  const operations = join(root, "dist", "pulumi", "ruleset", "operations.js");
  let last = look();
  let isLoaded = false;
  let longestMs = 0;
  let longestWorkMs = 0;
  const beat = () => {
    const now = look();
    // Loading the package's modules is one long block, which ends before the first host is dialled.
    if (isLoaded) {
      longestMs = Math.max(longestMs, now.atMs - last.atMs - beatMs);
      longestWorkMs = Math.max(longestWorkMs, now.workMs - last.workMs);
    }
    isLoaded ||= require.cache[operations] !== undefined;
    last = now;
  };
  setInterval(beat, beatMs).unref();
  const report = () =>
    writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify({ longestMs, longestWorkMs }));
  setInterval(() => isLoaded && report(), 250).unref();
}

/** The clock's time, and the main thread's processor time: on a busy machine the thread also waits for a processor. */
function look() {
  const [nanoseconds = ""] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ");
  return { atMs: performance.now(), workMs: Number(nanoseconds) / 1e6 };
}
