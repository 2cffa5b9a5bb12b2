import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../root.mjs";
import { findCommands } from "./commands.mjs";
import { SetupFailure } from "./failure.mjs";
import { onLeaving } from "./interruption.mjs";
import { CommandFailure, lastLines, runWithProgress, say } from "./progress.mjs";
import { findPulumiCli, oldestVersion, pinnedCliPath, pinnedVersion, readCliVersion } from "./pulumi-cli.mjs";

const launcher = join(root, "node_modules", "pulumi", "run.js");
const moduleFolder = join(root, "tools", "pulumi-cli");
const versionVariable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";
const commandPackage = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
const downloadLimitSeconds = 600;
const oldestGo = { major: 1, minor: 26 };

/**
 * Makes sure that there is a Pulumi CLI: a CLI that is there already, otherwise the launcher's download, otherwise a
 * build from the released Go module.
 * @returns {Promise<string>} its absolute path
 */
export async function obtainPulumiCli() {
  const present = findPulumiCli();
  if (present !== undefined) return present;

  const noDownload = await tryDownload();
  if (noDownload === undefined) return pinnedCliPath;
  say(`no download: ${noDownload}`);
  const noBuild = await tryBuild();
  if (noBuild === undefined) return pinnedCliPath;
  say(`no build: ${noBuild}`);
  throw new SetupFailure(`no Pulumi CLI ${oldestVersion} or newer could be found, downloaded or built`, [
    "install it as https://www.pulumi.com/docs/install/ says, so that `pulumi version` works",
    `or make Go ${oldestGo.major}.${oldestGo.minor} or newer and its module proxy available, for a build from source`,
  ]);
}

/** @returns {Promise<string | undefined>} why not */
async function tryDownload() {
  say(`downloading the Pulumi CLI ${pinnedVersion}: the tests and the demo run a real engine`);
  try {
    await runWithProgress(process.execPath, [launcher, "version"], {
      env: { PULUMI_VERSION: pinnedVersion, PULUMI_SKIP_UPDATE_CHECK: "true" },
      limitSeconds: downloadLimitSeconds,
    });
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return lastLines(error.output, 1) || error.message;
  }
  return explainWrongVersion(pinnedCliPath);
}

/** @returns {Promise<string | undefined>} why not */
async function tryBuild() {
  const unfit = explainUnfitGo();
  if (unfit !== undefined) return unfit;
  if (!readFileSync(join(moduleFolder, "go.mod"), "utf8").includes(`/pulumi/pkg/v3 v${pinnedVersion}`)) {
    return `tools/pulumi-cli/go.mod does not require v${pinnedVersion}, which package.json names`;
  }

  say(
    `building the Pulumi CLI ${pinnedVersion} with Go: about 5 minutes the first time, 3 GB of Go's caches`,
  );
  const unfinished = join(dirname(pinnedCliPath), `.pulumi-unfinished-${process.pid}`);
  mkdirSync(dirname(pinnedCliPath), { recursive: true });
  const removeUnfinished = onLeaving(() => rmSync(unfinished, { force: true }));
  try {
    // -v prints each package as it is compiled. Go prints no other progress.
    const flags = ["-v", "-mod=readonly", "-ldflags", `-s -w -X ${versionVariable}=v${pinnedVersion}`];
    await runWithProgress("go", ["build", ...flags, "-o", unfinished, commandPackage], {
      cwd: moduleFolder,
      env: { GOWORK: "off" },
    });
    const wrong = explainWrongVersion(unfinished);
    if (wrong === undefined) renameSync(unfinished, pinnedCliPath);
    return wrong;
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return `${error.message}\n${lastLines(error.output, 15)}`;
  } finally {
    removeUnfinished();
  }
}

function explainUnfitGo() {
  const wanted = `Go ${oldestGo.major}.${oldestGo.minor} or newer`;
  if (findCommands("go").length === 0) return `${wanted} is not on PATH`;
  const version = readGoVersion();
  const [major = 0, minor = 0] = version.replace(/^go/, "").split(".").map(Number);
  const isFit = major > oldestGo.major || (major === oldestGo.major && minor >= oldestGo.minor);
  return isFit ? undefined : `${wanted} is needed, ${version} is on PATH`;
}

/** Run in the module's folder: a Go that may fetch a newer toolchain prints that one's version there. */
function readGoVersion() {
  try {
    return execFileSync("go", ["env", "GOVERSION"], { cwd: moduleFolder, encoding: "utf8" }).trim();
  } catch {
    return "one that can't be run there"; // its own message was on stderr
  }
}

/** @param {string} cli */
function explainWrongVersion(cli) {
  const version = readCliVersion(cli);
  return version === pinnedVersion ? undefined : `${cli} says it is version ${version ?? "unknown"}`;
}
