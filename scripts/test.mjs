// npm test: the pure tests, then those that need a kernel, hosts or the engine; its last line counts both.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { runInForeground } from "./foreground.mjs";
import { root } from "./root.mjs";
import { findNodes } from "./setup/nodes.mjs";

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

const node = process.execPath;
const script = (/** @type {string} */ name) => join(root, "scripts", name);
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const graceSeconds = 20; // longer than in-lab.mjs gives its command

/** @type {NodeJS.Signals | undefined} */
let interruption;
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => {
    interruption = signal;
  });
}

process.chdir(root);
const reports = mkdtempSync(join(tmpdir(), "knockgate-test-"));
process.on("exit", () => rmSync(reports, { recursive: true, force: true }));

for (const [name = "", ...args] of [["setup.mjs", "--rootfs"], ["build.mjs"]]) {
  const code = await runInForeground(node, [script(name), ...args], { graceSeconds });
  stopIfInterrupted();
  if (code !== 0) finish([{ passed: 0, failed: 0, skipped: 0 }]);
}
const pure = await runVitest("pure", "vitest.config.mts", [node]);
// They mostly wait, for hosts and for time to pass: so several labs, each with namespaces of its own, at the same time.
const inLab = [node, script("in-lab.mjs"), node];
const runLab = (/** @type {string} */ project) =>
  runVitest(project, "vitest.lab.config.mts", inLab, { args: ["--project", project] });
const hosts = runLab("hosts");
// The engine's tests take longest. The other Nodes have the place of those of hosts, when these are over.
const labs = Promise.all([runLab("engine"), hosts, runLab("rest")]);
const [inLabs, onOthers] = await Promise.all([labs, hosts.then(runOnOtherNodes)]);
finish([pure, ...inLabs, ...onOthers]);

/** The pure tests on one Node after another, and a gate's life by the real engine on the newest; in deep runs on each. */
async function runOnOtherNodes() {
  // Who asks for some of the tests asks this Node.
  const others = process.argv.length > 2 ? [] : findNodes();
  const runs = [];
  for (const { version, node: other } of others) {
    // What the engine starts finds its node there, too.
    const env = { PATH: `${dirname(other)}${delimiter}${process.env.PATH}` };
    const args = ["--project", "rest", "test/package/programs.test.ts"];
    const launch = [other, script("in-lab.mjs"), other];
    runs.push(await runVitest(`pure-${version}`, "vitest.config.mts", [other], { env }));
    if (process.env.KNOCKGATE_DEEP !== "1" && version !== others.at(-1)?.version) continue;
    runs.push(await runVitest(`engine-${version}`, "vitest.lab.config.mts", launch, { args, env }));
  }
  return runs;
}

/**
 * @param {string} name
 * @param {string} config
 * @param {readonly string[]} launch what vitest's own file is given to
 * @param {{ args?: readonly string[], env?: Record<string, string> }} [options]
 * @returns {Promise<Counts>}
 */
async function runVitest(name, config, launch, options = {}) {
  const report = join(reports, `${name}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  // A file or title given as an argument may stand in one of the two only.
  const args = [
    vitest,
    "run",
    "--config",
    config,
    ...(options.args ?? []),
    ...reporters,
    "--passWithNoTests",
    ...process.argv.slice(2),
  ];
  const [command = node, ...before] = launch;
  const code = await runInForeground(command, [...before, ...args], { graceSeconds, env: options.env ?? {} });
  stopIfInterrupted();
  const counts = countTests(report);
  // Several runs print at once.
  if (counts.failed > 0) console.error(`test: ${counts.failed} of the ${name} tests failed`);
  if (code === 0 || counts.failed > 0) return counts;
  console.error(
    `test: the ${name} tests ended with exit code ${code} though no test failed: counted as one failure`,
  );
  return { ...counts, failed: 1 };
}

/**
 * @param {string} report vitest's JSON
 * @returns {Counts}
 */
function countTests(report) {
  let result;
  try {
    result = JSON.parse(readFileSync(report, "utf8"));
  } catch {
    return { passed: 0, failed: 0, skipped: 0 }; // vitest's exit code tells whether that is a failure
  }
  /** @type {{ status: string, assertionResults: { status: string }[] }[]} */
  const files = result.testResults;
  // A file that could not be loaded, or whose hook failed, is a failure without a failed test.
  const broken = files.filter(
    (file) => file.status === "failed" && file.assertionResults.every((test) => test.status !== "failed"),
  );
  return {
    passed: result.numPassedTests,
    failed: result.numFailedTests + broken.length,
    skipped: result.numPendingTests + result.numTodoTests,
  };
}

function stopIfInterrupted() {
  if (interruption !== undefined) process.exit(128 + constants.signals[interruption]);
}

/**
 * @param {Counts[]} runs
 * @returns {never}
 */
function finish(runs) {
  const total = (/** @type {keyof Counts} */ kind) => runs.reduce((sum, counts) => sum + counts[kind], 0);
  const [passed, failed, skipped] = [total("passed"), total("failed"), total("skipped")];
  console.log(`tests: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exit(failed > 0 || passed === 0 ? 1 : 0);
}
