import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "../root.mjs";
import { CommandFailure, lastLines, runWithProgress, say } from "./progress.mjs";
import { hasPython, python, pythonFolder, sdkGenerator } from "./python-place.mjs";

/** The requirements of the generated package and of the Automation API, in pip's words. */
const requirements = ["pulumi==3.248.0", "parver==1.0.1.post0", "semver==3.1.2"];
const limitSeconds = 600;

/** Makes what a Python program of Pulumi needs. If that fails, its test is skipped, and this prints why. */
export async function obtainPython() {
  if (hasPython()) return;
  say("getting Pulumi for Python, and building what makes a Python package of a schema");
  rmSync(pythonFolder, { recursive: true, force: true });
  mkdirSync(pythonFolder, { recursive: true });
  const environment = join(pythonFolder, "environment");
  const build = ["build", "-mod=readonly", "-o", sdkGenerator, "./generate-sdk"];
  try {
    await runWithProgress("python3", ["-m", "venv", environment], { limitSeconds });
    await runWithProgress(python, ["-m", "pip", "install", "--quiet", ...requirements], { limitSeconds });
    const options = { cwd: join(root, "tools", "pulumi-cli"), env: { GOWORK: "off" }, limitSeconds };
    await runWithProgress("go", build, options);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    say(`examples/python is not run: ${error.message}\n${lastLines(error.output, 5)}`);
  }
}
