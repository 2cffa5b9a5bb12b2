import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { deployersFolder, deployersSource, yamlHost, yamlHostVersion } from "./deployers-place.mjs";
import { CommandFailure, lastLines, runWithProgress, say } from "./progress.mjs";

const yamlPackage = "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml";
const limitSeconds = 1_800;

/** Gets what deployers are tried with. What fails is not tried, and this prints why. */
export async function obtainDeployers() {
  await tryTo("other package managers are not tried", obtainManagers);
  await tryTo("examples/yaml is not run", obtainYamlHost);
}

/**
 * @param {string} consequence
 * @param {() => Promise<void>} work
 */
async function tryTo(consequence, work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    say(`${consequence}: ${error.message}\n${lastLines(error.output, 5)}`);
  }
}

/** Installs by a lockfile, which has the digest of every package. */
async function obtainManagers() {
  if (existsSync(deployersFolder)) return;
  if (process.platform !== "linux" || process.arch !== "x64") return;
  say("getting pnpm, yarn and bun, and the packages of users' projects: 500 MB");
  const unfinished = `${deployersFolder}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  for (const file of ["package.json", "package-lock.json"]) {
    copyFileSync(join(deployersSource, file), join(unfinished, file));
  }
  // Some are for a newer Node than this one, and their peers are not all wanted.
  const lenient = ["--ignore-scripts", "--legacy-peer-deps", "--no-engine-strict", "--loglevel=error"];
  await runWithProgress("npm", ["ci", ...lenient, "--no-audit", "--no-fund"], {
    cwd: unfinished,
    limitSeconds,
  });
  renameSync(unfinished, deployersFolder);
}

/** Builds the released module with the dependencies that it pins itself; Go's checksum database vouches for it. */
async function obtainYamlHost() {
  if (existsSync(yamlHost)) return;
  say(`building Pulumi's language host for YAML ${yamlHostVersion} with Go: about 5 minutes`);
  const unfinished = `${dirname(yamlHost)}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  const flags = ["-v", "-ldflags", "-s -w"];
  const env = { GOBIN: unfinished, GOFLAGS: "", GOWORK: "off" };
  await runWithProgress("go", ["install", ...flags, `${yamlPackage}@v${yamlHostVersion}`], {
    env,
    limitSeconds,
  });
  renameSync(unfinished, dirname(yamlHost));
}
