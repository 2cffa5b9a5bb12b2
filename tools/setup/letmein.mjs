import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache.mjs";
import { findCommands } from "./commands.mjs";
import { installDebianPackages } from "./debian.mjs";
import { SetupFailure } from "./failure.mjs";
import { onLeaving } from "./interruption.mjs";
import { letmeinFolder, letmeinPrograms, letmeinVersion } from "./letmein-place.mjs";
import { runWithProgress, say } from "./progress.mjs";

/** The crates' rust-version. */
const oldestRust = { major: 1, minor: 88 };
/** Debian's Rust for programs that need a new one. The packages cargo and rustc are too old in Debian 12. */
const debianRust = { "cargo-web": ["/usr/bin/cargo"] };
const linker = { gcc: ["cc"], "libc6-dev": ["/usr/include/stdio.h"] };

/** Builds letmein from crates.io, with the versions of its dependencies that its release names. */
export async function obtainLetmein() {
  if (existsSync(letmeinFolder)) return;
  const cargo = await obtainCargo();
  await installDebianPackages(linker);
  say(`building letmein ${letmeinVersion} from crates.io: the bench measures it, too. This takes minutes`);
  const unfinished = join(cacheFolder, `unfinished-letmein-${process.pid}`);
  mkdirSync(unfinished, { recursive: true });
  const removeUnfinished = onLeaving(() => rmSync(unfinished, { recursive: true, force: true }));
  try {
    const crates = letmeinPrograms.map((name) => `${name}@${letmeinVersion}`);
    await runWithProgress(cargo, ["install", "--locked", "--no-track", "--root", unfinished, ...crates], {
      // One folder for all three: what they share is compiled once.
      env: { CARGO_TARGET_DIR: join(unfinished, "target") },
    });
    rmSync(join(unfinished, "target"), { recursive: true });
    renameSync(unfinished, letmeinFolder);
  } finally {
    removeUnfinished();
  }
}

/** @returns {Promise<string>} a cargo that can build letmein: the first on PATH if it is new enough, otherwise Debian's */
async function obtainCargo() {
  const [present] = findCommands("cargo");
  if (present !== undefined && canBuild(present)) return present;
  await installDebianPackages(debianRust);
  const [own] = debianRust["cargo-web"];
  if (own !== undefined && canBuild(own)) return own;
  throw new SetupFailure(
    `letmein ${letmeinVersion} needs Rust ${oldestRust.major}.${oldestRust.minor} or newer`,
    [
      "apt-get install cargo-web, from Debian 12 with its security updates",
      "or put a newer cargo first in PATH",
    ],
  );
}

/** @param {string} cargo */
function canBuild(cargo) {
  const [, major, minor] =
    /^cargo (\d+)\.(\d+)/.exec(execFileSync(cargo, ["--version"], { encoding: "utf8" })) ?? [];
  return (
    Number(major) > oldestRust.major ||
    (Number(major) === oldestRust.major && Number(minor) >= oldestRust.minor)
  );
}
