// The tests import this, too: it only looks, and prints nothing.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const common = ["openssh-server", "nftables", "iptables", "iproute2", "procps", "sudo"];
const booting = [...common, "systemd", "systemd-sysv", "dbus", "libpam-systemd"];

/**
 * The contents of each root file system. A change of them changes the digest, and so the folder. `later` is installed
 * by apt, which resolves conflicts that debootstrap does not see.
 */
export const rootfsRecipes = {
  systemd: {
    suite: "bookworm",
    packages: [...booting, "iptables-persistent"],
    later: [],
  },
  // Older and newer Debians, for their versions of nft and iptables.
  bullseye: { suite: "bullseye", packages: booting, later: [] },
  trixie: { suite: "trixie", packages: booting, later: [] },
  sid: { suite: "sid", packages: booting, later: [] },
  // Other firewalls. All are disabled at first. iptables-persistent is in "systemd": ufw's package breaks it.
  firewalls: {
    suite: "bookworm",
    packages: booting,
    later: ["ufw", "firewalld", "fail2ban", "wireguard-tools", "wireguard-go"],
  },
  openrc: {
    suite: "bookworm",
    packages: [...common, "ifupdown"],
    later: ["sysvinit-core", "openrc"],
  },
};

/** @typedef {keyof typeof rootfsRecipes} RootfsKind */

/** Where the root file systems are kept between runs. */
export const rootfsCache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "knockgate");

/**
 * Names the folder of a root file system. The folder exists only when it is complete.
 * @param {RootfsKind} kind
 */
export function locateRootfs(kind) {
  const content = JSON.stringify([process.arch, kind, rootfsRecipes[kind]]);
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 16);
  return join(rootfsCache, `rootfs-${digest}`);
}

/**
 * Finds a root file system that was built before.
 * @param {RootfsKind} kind
 * @returns {string} its folder
 */
export function findRootfs(kind) {
  const folder = locateRootfs(kind);
  if (existsSync(folder)) return folder;
  throw new Error(`${folder} is missing: build it with \`KNOCKGATE_DEEP=1 node tools/setup.mjs --rootfs\``);
}
