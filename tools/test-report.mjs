import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { root } from "./root.mjs";

/** @typedef {{ text: string, file?: string, title?: string }} Failure without a title: a file, or its hook, failed */
/** @typedef {{ passed: number, failed: number, skipped: number, failures: readonly Failure[] }} Counts */
/** @typedef {{ status: string, fullName: string, failureMessages?: readonly string[] }} Assertion */
/** @typedef {{ name: string, status: string, message: string, assertionResults: readonly Assertion[] }} File */

const mostLines = 25;

/**
 * @param {string} report the path of vitest's JSON
 * @param {string} run the name under which the failures are listed
 * @returns {Counts}
 */
export function readReport(report, run) {
  let result;
  try {
    result = JSON.parse(readFileSync(report, "utf8"));
  } catch {
    return { passed: 0, failed: 0, skipped: 0, failures: [] }; // vitest's exit code tells whether that is a failure
  }
  /** @type {readonly File[]} */
  const files = result.testResults;
  const failures = files.flatMap((file) => listFailures(file, run));
  return {
    passed: result.numPassedTests,
    failed: failures.length,
    skipped: result.numPendingTests + result.numTodoTests,
    failures,
  };
}

/**
 * A file that could not be loaded, or whose hook failed, is a failure without a failed test.
 * @param {File} file
 * @param {string} run
 * @returns {readonly Failure[]}
 */
function listFailures({ name, status, message, assertionResults }, run) {
  const file = relative(root, name);
  const tests = assertionResults.filter((test) => test.status === "failed");
  if (tests.length === 0) {
    return status === "failed" ? [{ file, text: `${run}: ${file}\n${shorten(message)}` }] : [];
  }
  return tests.map(({ fullName: title, failureMessages = [] }) => {
    return { file, title, text: `${run}: ${file} > ${title}\n${shorten(failureMessages.join("\n"))}` };
  });
}

/** @param {string} message */
function shorten(message) {
  const lines = message.split("\n").filter((line) => !/^ +at .*(node_modules|node:)/.test(line));
  const left = lines.length - mostLines;
  return [...lines.slice(0, mostLines), ...(left > 0 ? [`(${left} more lines stand above)`] : [])].join("\n");
}
