import { copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "../root.mjs";
import { ansibleFolder } from "./ansible-place.mjs";
import { installDebianPackages } from "./debian.mjs";
import { runWithProgress, say } from "./progress.mjs";

const requirements = join(root, "tools", "setup", "ansible-requirements.txt");
/** The requirements that the environment was made from. Written last, so that only a complete environment has it. */
const made = join(ansibleFolder, "requirements.txt");
/** Debian's own Python, even if another one comes first in PATH: figures everywhere are of the same one. */
const python = "/usr/bin/python3";
const limitSeconds = 600;

/** Installs ansible-core from PyPI into an environment of this checkout. Debian's version is some years old. */
export async function obtainAnsible() {
  if (existsSync(made) && readFileSync(made, "utf8") === readFileSync(requirements, "utf8")) return;
  await installDebianPackages({ "python3-venv": ["/usr/lib/python3.11/ensurepip/__init__.py"] });
  say("installing ansible-core from PyPI: fleets are measured against it");
  rmSync(ansibleFolder, { recursive: true, force: true });
  await runWithProgress(python, ["-m", "venv", ansibleFolder], { limitSeconds });
  const install = ["install", "--quiet", "--require-hashes", "--only-binary", ":all:", "-r", requirements];
  await runWithProgress(join(ansibleFolder, "bin", "python"), ["-m", "pip", ...install], { limitSeconds });
  copyFileSync(requirements, made);
}
