import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../root.mjs";
import { SetupFailure } from "./failure.mjs";
import { CommandFailure, lastLines, runWithProgress, say } from "./progress.mjs";

const lockfile = join(root, "package-lock.json");
/** Holds the digest of the lockfile that node_modules was made from; `npm ci` removes it with the folder. */
const stamp = join(root, "node_modules", ".knockgate-setup");

/** Makes node_modules match package-lock.json. Does nothing when it matches already. */
export async function installNpmPackages() {
  if (!existsSync(lockfile)) {
    throw new SetupFailure("package-lock.json is missing", ["git checkout package-lock.json"]);
  }
  const digest = createHash("sha256").update(readFileSync(lockfile)).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8").trim() === digest) return;

  say("npm ci --ignore-scripts: node_modules does not match package-lock.json");
  // No dependency needs its install script. The kinds are named because a user's npm settings may omit them.
  const kinds = ["--include=dev", "--include=optional"];
  const quiet = ["--no-audit", "--no-fund", "--loglevel=http"];
  try {
    await runWithProgress("npm", ["ci", "--ignore-scripts", ...kinds, ...quiet], { cwd: root });
  } catch (error) {
    throw error instanceof CommandFailure ? explainFailure(error) : error;
  }
  writeFileSync(stamp, `${digest}\n`);
}

/**
 * npm first prints what is wrong, and then its long usage text.
 * @param {CommandFailure} failure
 */
function explainFailure(failure) {
  const complaints = failure.output.split("\n").filter((line) => /^npm error\s+\S/.test(line));
  const reason = complaints.slice(0, 12).join("\n") || lastLines(failure.output, 12);
  return new SetupFailure(`${failure.message}\n${reason}`, [
    "see that the npm registry can be reached (`npm ping`) and that package-lock.json fits package.json",
  ]);
}
