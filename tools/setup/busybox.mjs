import { execFileSync } from "node:child_process";
import { readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { installDebianPackages } from "./debian.mjs";

const compiler = {
  gcc: ["gcc"],
  make: ["make"],
  bzip2: ["bzip2"],
  "libc6-dev": ["/usr/include/stdio.h"],
};

/** The configuration of upstream's busybox with this applet alone, and its build. */
const buildFlock = `set -e
cd "$1"
tar xjf busybox_*.orig.tar.bz2
cd busybox-*/
make allnoconfig
sed -i 's/^# CONFIG_\\(FLOCK\\|STATIC\\) is not set/CONFIG_\\1=y/' .config
yes "" | make oldconfig
make -j2 busybox
cp busybox "$1/../usr/bin/busybox-flock"
`;

/** apt verifies what it fetches. */
const fetchSource = `set -e
sed 's/^deb /deb-src /' /etc/apt/sources.list >/etc/apt/sources.list.d/source.list
apt-get update
cd /root
apt-get source --download-only busybox
`;

/**
 * Removes all commands of a root file system but some, and gives it busybox's applets instead. Debian builds its
 * busybox without flock, so that comes from upstream's source.
 *
 * @param {string} folder
 * @param {string} keeps a pattern for the names of commands that stay
 * @param {(...command: string[]) => Promise<unknown>} run
 */
export async function leaveToBusybox(folder, keeps, run) {
  await installDebianPackages(compiler);
  await run("chroot", folder, "sh", "-c", fetchSource);
  await run("sh", "-c", buildFlock, "sh", join(folder, "root"));
  const kept = new RegExp(keeps);
  for (const place of ["usr/bin", "usr/sbin"]) {
    const needless = readdirSync(join(folder, place)).filter((name) => !kept.test(name));
    for (const name of needless) rmSync(join(folder, place, name), { recursive: true });
  }
  const listing = execFileSync(join(folder, "usr/bin/busybox"), ["--list"], { encoding: "utf8" });
  const applets = listing
    .trim()
    .split("\n")
    .filter((name) => !kept.test(name));
  for (const name of applets) symlinkSync("busybox", join(folder, "usr/bin", name));
  symlinkSync("busybox-flock", join(folder, "usr/bin/flock"));
  for (const name of readdirSync(join(folder, "root")))
    rmSync(join(folder, "root", name), { recursive: true });
}
