import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { leaveToBusybox } from "./busybox.mjs";
import { cacheFolder } from "./cache.mjs";
import { installDebianPackages } from "./debian.mjs";
import { SetupFailure } from "./failure.mjs";
import { onLeaving } from "./interruption.mjs";
import { findDebianMirror } from "./mirror.mjs";
import { CommandFailure, lastLines, runWithProgress, say } from "./progress.mjs";
import { locateRootfs, rootfsRecipes } from "./rootfs-place.mjs";

/** @typedef {import("./rootfs-place.mjs").RootfsKind} RootfsKind */

const unfinishedPrefix = "unfinished-rootfs-";
const staleAfterMs = 3_600_000;
/** Packages run this file before they start a service; 101 means no (invoke-rc.d(8)). debootstrap has its own way. */
const keepsStopped = "usr/sbin/policy-rc.d";
/**
 * The keys with which debootstrap checks the archive's signature. Every Debian has them, Ubuntu has them as a package.
 */
const keyring = { "debian-archive-keyring": ["/usr/share/keyrings/debian-archive-keyring.gpg"] };

/**
 * Builds the root file systems that are missing, side by side. A folder gets its name only when it is complete. Two
 * processes may build the same one at the same time: the slower one only loses its time.
 * @param {readonly RootfsKind[]} kinds
 */
export async function obtainRootfs(kinds) {
  const missing = kinds.filter((kind) => !existsSync(locateRootfs(kind)));
  if (missing.length === 0) return;
  if (process.geteuid?.() !== 0) {
    throw new SetupFailure(
      `a Debian for the tests' hosts is to be built in ${cacheFolder}, and that needs root`,
      ["run the same command as root, e.g. with sudo"],
    );
  }
  await installDebianPackages(keyring);
  mkdirSync(cacheFolder, { recursive: true });
  removeStale();
  const results = await Promise.allSettled(missing.map(buildRootfs));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

/** @param {RootfsKind} kind */
async function buildRootfs(kind) {
  const folder = locateRootfs(kind);
  say(`building a Debian for the tests' hosts (${kind}), once: a minute or two, 200 to 300 MB in ${folder}`);
  const unfinished = join(cacheFolder, `${unfinishedPrefix}${process.pid}-${kind}`);
  rmSync(unfinished, { recursive: true, force: true });
  const removeUnfinished = onLeaving(() => rmSync(unfinished, { recursive: true, force: true }));
  try {
    await bootstrap(kind, unfinished);
    removeNeedless(unfinished);
    renameSync(unfinished, folder);
  } catch (error) {
    // Another process was faster: a rename to a folder that is not empty fails.
    if (existsSync(folder)) return;
    throw error instanceof CommandFailure ? explainFailure(error) : error;
  } finally {
    removeUnfinished();
  }
}

/**
 * Builds in namespaces of its own, so that the build's mounts and processes always end with it.
 * @param {RootfsKind} kind
 * @param {string} target
 */
async function bootstrap(kind, target) {
  const recipe = rootfsRecipes[kind];
  const { suite, packages, later } = recipe;
  const apart = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const run = (/** @type {string[]} */ ...command) =>
    runWithProgress("setpriv", ["--pdeathsig", "KILL", "unshare", ...apart, "--", ...command], {
      env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" },
    });
  const mirror = findDebianMirror();
  const place = [suite, target, ...(mirror === undefined ? [] : [mirror])];
  const choice = ["--variant=minbase", `--include=${packages.join(",")}`];
  await run("debootstrap", "--force-check-gpg", ...choice, ...place);
  /** @type {{ keepsOnly?: string }} */
  const { keepsOnly } = rootfsRecipes[kind];
  if (keepsOnly !== undefined) await leaveToBusybox(target, keepsOnly, run);
  if (later.length === 0) return;
  writeFileSync(join(target, keepsStopped), "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  await run("chroot", target, "apt-get", "update");
  await run("chroot", target, "apt-get", "install", "-y", "--no-install-recommends", ...later);
  if ("disabled" in recipe)
    await run("chroot", target, "systemctl", "--quiet", "disable", ...recipe.disabled);
}

/**
 * Removes what apt fetched, and what each host must have for itself.
 * @param {string} folder
 */
function removeNeedless(folder) {
  const etc = join(folder, "etc", "ssh");
  const keys = existsSync(etc) ? readdirSync(etc).filter((name) => name.startsWith("ssh_host_")) : [];
  // iptables-persistent saves the rules of the builder's own firewall.
  const needless = ["var/cache/apt", "var/lib/apt/lists", "etc/machine-id", "etc/iptables", keepsStopped];
  for (const path of [...needless, ...keys.map((name) => join("etc", "ssh", name))]) {
    rmSync(join(folder, path), { recursive: true, force: true });
  }
}

/** Removes what a killed build left: its process is gone, or another process has its number by now. */
function removeStale() {
  for (const name of readdirSync(cacheFolder).filter((entry) => entry.startsWith(unfinishedPrefix))) {
    const path = join(cacheFolder, name);
    const builder = `/proc/${Number.parseInt(name.slice(unfinishedPrefix.length), 10)}/cmdline`;
    const isAlive = existsSync(builder) && readFileSync(builder, "utf8").includes("setup");
    const isOld = Date.now() - statSync(path).mtimeMs > staleAfterMs;
    if (!isAlive || isOld) rmSync(path, { recursive: true, force: true });
  }
}

/** @param {CommandFailure} failure */
function explainFailure(failure) {
  const [reason = ""] = failure.message.split("\n");
  return new SetupFailure(`${reason}\n${lastLines(failure.output, 8)}`, [
    "see that a Debian mirror can be reached: the one of apt's own sources is taken, else debootstrap's default",
    "behind a proxy set http_proxy",
  ]);
}
