import { spawn } from "node:child_process";
import { signalGroup } from "../signal-group.mjs";
import { isLeaving, stopOnLeaving } from "./interruption.mjs";

const isTerminal = process.stdout.isTTY === true;
const reportEveryMs = isTerminal ? 1_000 : 10_000;
const lineWidth = 110;

/** A command that failed, with the end of its output. */
export class CommandFailure extends Error {
  /** @param {string} message @param {string} output */
  constructor(message, output) {
    super(message);
    this.name = "CommandFailure";
    this.output = output;
  }
}

/**
 * Prints one line about the setup.
 * @param {string} line
 */
export function say(line) {
  process.stdout.write(`setup: ${line}\n`);
}

/**
 * Runs a command quietly. Prints from time to time how long it has taken, and its last line of output.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, limitSeconds?: number, mustFinish?: boolean }} [options]
 *   `mustFinish`: on Ctrl-C asks it to stop, and waits until it has ended
 * @returns {Promise<void>} rejects with a CommandFailure
 */
export async function runWithProgress(command, args, options = {}) {
  const child = spawn(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // leads a group of its own, see stopOnLeaving
  });
  stopOnLeaving(child, options.mustFinish ?? false);

  let output = "";
  /** @param {Buffer} chunk */
  const keep = (chunk) => {
    output = (output + chunk.toString()).slice(-20_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);

  const startedMs = Date.now();
  const ticker = setInterval(() => reportProgress(startedMs, output), reportEveryMs);
  let isOverdue = false;
  const limit =
    options.limitSeconds === undefined
      ? undefined
      : setTimeout(() => {
          isOverdue = true;
          signalGroup(child, "SIGKILL");
        }, options.limitSeconds * 1000);

  /** @type {string | undefined} */
  const problem = await new Promise((resolve) => {
    child.once("error", (error) => resolve(`could not be started: ${error.message}`));
    child.once("close", (code, signal) => {
      resolve(code === 0 ? undefined : signal ? `was ended by ${signal}` : `ended with exit code ${code}`);
    });
  });
  clearInterval(ticker);
  clearTimeout(limit);
  if (isTerminal) process.stdout.write("\r\x1b[K");
  // The signal's handler ends this process. A message here would only hide the reason.
  if (isLeaving()) await new Promise(() => {});
  if (problem !== undefined) {
    const reason = isOverdue ? `took longer than ${options.limitSeconds} s` : problem;
    throw new CommandFailure(`\`${[command, ...args].join(" ")}\` ${reason}`, output);
  }
}

/**
 * @param {number} startedMs
 * @param {string} output
 */
function reportProgress(startedMs, output) {
  if (isLeaving()) return;
  const seconds = Math.round((Date.now() - startedMs) / 1000);
  const line = `setup:   ${seconds} s ${lastLines(output, 1)}`.slice(0, lineWidth).trimEnd();
  process.stdout.write(isTerminal ? `\r\x1b[K${line}` : `${line}\n`);
}

/**
 * @param {string} output
 * @param {number} count
 */
export function lastLines(output, count) {
  const lines = output.split(/[\r\n]+/).filter((line) => line.trim() !== "");
  return lines.slice(-count).join("\n");
}
