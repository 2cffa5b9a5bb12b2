// npm test: the pure tests, then those that need a kernel, hosts or the engine. The last line counts both.
import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { runInForeground } from "./foreground.mjs";
import { root } from "./root.mjs";
import { findNodes } from "./setup/nodes.mjs";
import { readReport } from "./test-report.mjs";

/** @typedef {import("./test-report.mjs").Counts} Counts */
/** @typedef {{ counts: Counts, repeat: () => Promise<Counts> }} Run */

const node = process.execPath;
const script = (/** @type {string} */ name) => join(root, "tools", name);
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const graceSeconds = 20; // longer than in-lab.mjs gives its command
/** The most failures of a run that are tried again. */
const mostRepeated = 5;

/** @type {NodeJS.Signals | undefined} */
let interruption;
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => {
    interruption = signal;
  });
}

process.chdir(root);
// How often properties are tried (test/unit/runs.ts).
process.env.KNOCKGATE_RUNS ??= process.env.KNOCKGATE_DEEP === "1" ? "5" : "1";
const reports = mkdtempSync(join(tmpdir(), "knockgate-test-"));
process.on("exit", () => rmSync(reports, { recursive: true, force: true }));

for (const [name = "", ...args] of [["setup.mjs", "--rootfs"], ["build.mjs"]]) {
  const code = await runInForeground(node, [script(name), ...args], { graceSeconds });
  stopIfInterrupted();
  if (code !== 0) finish([{ passed: 0, failed: 0, skipped: 0, failures: [] }], []);
}
const pure = await runVitest("pure", "vitest.config.mts", [node]);
// They mostly wait, for hosts and for time to pass. So several labs run at the same time, each with its own namespaces.
const inLab = [node, script("in-lab.mjs"), node];
const runLab = (/** @type {readonly string[]} */ ...projects) =>
  runVitest(projects.join("-"), "vitest.lab.config.mts", inLab, {
    args: projects.flatMap((project) => ["--project", project]),
  });
const deepHosts = process.env.KNOCKGATE_DEEP === "1" ? ["hosts-by-openssh"] : [];
const hosts = runLab("hosts", "hosts-as-they-are", ...deepHosts);
// The engine's tests take longest. When the hosts' tests are over, the other Nodes take their place.
const labs = Promise.all([runLab("engine"), hosts, runLab("rest")]);
const [inLabs, onOthers] = await Promise.all([labs, hosts.then(runOnOtherNodes)]);
const [counts, onlyAlone] = await repeatAlone([...inLabs, ...onOthers]);
finish([pure.counts, ...counts], onlyAlone);

/** Runs the pure tests, and a gate's life by the real engine, on the newest Node. Deep runs do both on each Node. */
async function runOnOtherNodes() {
  // A run of only some tests uses only this Node. Else the newest one runs, too, and in deep runs all.
  const found = process.argv.length > 2 ? [] : findNodes();
  const others = process.env.KNOCKGATE_DEEP === "1" ? found : found.slice(-1);
  const runs = [];
  for (const { version, node: other } of others) {
    // The engine's own subprocesses find this node, too.
    const env = {
      PATH: `${dirname(other)}${delimiter}${process.env.PATH}`,
      KNOCKGATE_RUNS: process.env.KNOCKGATE_DEEP === "1" ? "1" : "0.2",
    };
    const args = ["--project", "rest", "test/suites/package/programs.test.ts"];
    const launch = [other, script("in-lab.mjs"), other];
    runs.push(await runVitest(`pure-${version}`, "vitest.config.mts", [other], { env }));
    runs.push(await runVitest(`engine-${version}`, "vitest.lab.config.mts", launch, { args, env }));
  }
  return runs;
}

/**
 * @param {string} name
 * @param {string} config
 * @param {readonly string[]} launch the command to which vitest's own file is appended
 * @param {{ args?: readonly string[], env?: Record<string, string> }} [options]
 * @returns {Promise<Run>}
 */
async function runVitest(name, config, launch, options = {}) {
  const counts = await countTests(name, config, launch, options);
  const repeat = () => {
    const titles = counts.failures.flatMap(({ title }) => title ?? []);
    const only = titles.length === counts.failures.length ? ["-t", titles.map(escapeRegExp).join("|")] : [];
    const files = new Set(counts.failures.flatMap(({ file }) => file ?? []));
    const args = [...(options.args ?? []), ...files, ...only];
    return countTests(`${name} alone`, config, launch, { ...options, args });
  };
  return { counts, repeat };
}

/**
 * Tries a few failed tests again, with the machine to themselves: a test of hosts may fail where three labs share two
 * processors. What passes then counts as passed, and is named.
 * @param {readonly Run[]} runs
 * @returns {Promise<[readonly Counts[], readonly string[]]>} the counts, and what passed only alone
 */
async function repeatAlone(runs) {
  /** @type {Counts[]} */
  const all = [];
  /** @type {string[]} */
  const onlyAlone = [];
  for (const { counts, repeat } of runs) {
    const isRepeated =
      counts.failed > 0 && counts.failed <= mostRepeated && counts.failures.every(({ file }) => file);
    const again = isRepeated ? await repeat() : counts;
    if (isRepeated && again.failed === 0 && again.passed >= counts.failed) {
      all.push({ ...counts, passed: counts.passed + counts.failed, failed: 0, failures: [] });
      onlyAlone.push(...counts.failures.map(({ text }) => text));
    } else {
      all.push(counts);
    }
  }
  return [all, onlyAlone];
}

/** @param {string} text */
function escapeRegExp(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/**
 * @param {string} name
 * @param {string} config
 * @param {readonly string[]} launch
 * @param {{ args?: readonly string[], env?: Record<string, string> }} options
 * @returns {Promise<Counts>}
 */
async function countTests(name, config, launch, options) {
  const report = join(reports, `${name}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  // A file or title given as an argument may be in only one of the two.
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
  const counts = readReport(report, name);
  // Several runs print at the same time, so each line names its run.
  if (counts.failed > 0) console.error(`test: ${counts.failed} of the ${name} tests failed`);
  if (code === 0 || counts.failed > 0) return counts;
  console.error(
    `test: the ${name} tests ended with exit code ${code} though no test failed: counted as one failure`,
  );
  return { ...counts, failed: 1, failures: [{ text: `${name}: exit code ${code}, without a failed test` }] };
}

function stopIfInterrupted() {
  if (interruption !== undefined) process.exit(128 + constants.signals[interruption]);
}

/**
 * @param {readonly Counts[]} runs
 * @param {readonly string[]} onlyAlone
 * @returns {never}
 */
function finish(runs, onlyAlone) {
  // Last, because often only the end of a log is kept or read.
  for (const text of onlyAlone) console.error(`\nfailed beside other tests, and passed alone: ${text}`);
  for (const { text } of runs.flatMap(({ failures }) => failures)) console.error(`\nfailed: ${text}`);
  const total = (/** @type {"passed" | "failed" | "skipped"} */ kind) =>
    runs.reduce((sum, counts) => sum + counts[kind], 0);
  const [passed, failed, skipped] = [total("passed"), total("failed"), total("skipped")];
  console.log(`tests: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exit(failed > 0 || passed === 0 ? 1 : 0);
}
