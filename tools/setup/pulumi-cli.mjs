// The tests and the demo import this, too: it only looks, and prints nothing.
import { execFileSync } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { root } from "../root.mjs";
import { findCommands, isExecutable } from "./commands.mjs";

/** The version that the setup obtains when there is none: that of the launcher, pinned in package.json. */
export const pinnedVersion = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).devDependencies
  .pulumi;

/** The first version whose engine knows `onError` hooks. */
export const oldestVersion = "3.219.0";

/** Where the official launcher and the Automation API keep the CLI of that version. */
export const pinnedCliPath = join(
  process.env.PULUMI_HOME || join(homedir(), ".pulumi"),
  "versions",
  pinnedVersion,
  "bin",
  "pulumi",
);

const quietEnvironment = {
  PULUMI_SKIP_UPDATE_CHECK: "true",
  // A missing plugin is an error at once. A download could not end inside the lab.
  PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
};

/** @type {string | undefined} */
let found;

/**
 * Finds a Pulumi CLI that is new enough: on PATH, otherwise the pinned one.
 * @returns {string | undefined} its absolute path
 */
export function findPulumiCli() {
  found ??= [...findOnPath(), pinnedCliPath].find((cli) => isNewEnough(readCliVersion(cli)));
  return found;
}

function findOnPath() {
  // `npm run` puts the launcher on PATH under the same name. Calling it would start a download.
  return findCommands("pulumi").filter((cli) => !realpathSync(cli).includes("/node_modules/"));
}

/**
 * Asks a CLI for its version.
 * @param {string} cli
 * @returns {string | undefined} without the leading v; undefined when it can't be run
 */
export function readCliVersion(cli) {
  if (!isExecutable(cli)) return undefined;
  try {
    const options = { encoding: /** @type {const} */ ("utf8"), timeout: 20_000 };
    const env = { ...process.env, ...quietEnvironment };
    const answer = execFileSync(cli, ["version"], { ...options, env, stdio: ["ignore", "pipe", "ignore"] });
    return answer.trim().replace(/^v/, "");
  } catch {
    return undefined;
  }
}

/** @param {string | undefined} version */
function isNewEnough(version) {
  const [major = 0, minor = 0] = (version ?? "").split(".").map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldestVersion.split(".").map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

/**
 * Returns the environment variables to add for any command that runs the engine. On PATH come first the CLI, then
 * tools/bin with the dynamic provider's plugin: a released CLI brings it along, a CLI built from source lacks it.
 * @returns {Record<string, string> & { PATH: string }}
 */
export function pulumiEnvironment() {
  const cli = findPulumiCli();
  const folders = [...(cli === undefined ? [] : [dirname(cli)]), join(root, "tools", "bin")];
  return { ...quietEnvironment, PATH: [...folders, process.env.PATH ?? ""].join(delimiter) };
}
