// The tests import this, too: it only looks, and prints nothing.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache.mjs";

const common = ["openssh-server", "nftables", "iptables", "iproute2", "procps", "sudo"];
const booting = [...common, "systemd", "systemd-sysv", "dbus", "libpam-systemd"];
const faulty = ["libfaketime", "yash"];

/**
 * The contents of each root file system. A change of them changes the digest, and so the folder. `later` is installed
 * by apt, which resolves conflicts that debootstrap does not see. With `keepsOnly`, only commands of these names stay, and
 * the others are busybox's. `disabled` units do not start at boot; a test enables those that it is about.
 */
export const rootfsRecipes = {
  systemd: {
    suite: "bookworm",
    packages: [...booting, "iptables-persistent"],
    later: [],
  },
  // Older and newer Debians, for their versions of nft and iptables. The faults of the matrix need two more packages.
  bullseye: { suite: "bullseye", packages: [...booting, ...faulty], later: [] },
  trixie: { suite: "trixie", packages: booting, later: [] },
  sid: { suite: "sid", packages: [...booting, ...faulty], later: [] },
  // With kernels of their own, for an emulator.
  "bullseye-kernel": { suite: "bullseye", packages: booting, later: ["linux-image-cloud-amd64"] },
  "trixie-kernel": { suite: "trixie", packages: booting, later: ["linux-image-cloud-amd64"] },
  emulator: { suite: "bookworm", packages: ["mount"], later: ["qemu-system-x86"] },
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
  sysvinit: { suite: "bookworm", packages: [...common, "ifupdown"], later: ["sysvinit-core"] },
  runit: { suite: "bookworm", packages: [...common, "ifupdown"], later: ["runit-init"] },
  // Its commands are busybox's, dropbear's and the firewall tools: all others are removed.
  busybox: {
    suite: "bookworm",
    packages: ["busybox-static", "dropbear-bin", "nftables", "iptables"],
    later: [],
    keepsOnly: "^(busybox.*|dropbear.*|nft|x?tables-.*|ip6?tables.*)$",
  },
  // The sudo that is written in Rust. Both may be installed at once.
  "sudo-rs": { suite: "trixie", packages: [...common, "sudo-rs", "perl-base"], later: [] },
  // Container engines and libvirt, with what they recommend for networks and for users without root.
  containers: {
    suite: "bookworm",
    packages: [...booting, "busybox-static"],
    later: [
      ...["docker.io", "podman", "netavark", "aardvark-dns", "fuse-overlayfs", "slirp4netns", "uidmap"],
      ...["dbus-user-session", "libvirt-daemon-system", "dnsmasq-base", "isc-dhcp-client"],
    ],
    disabled: [
      ...["docker.service", "docker.socket", "containerd.service"],
      ...["podman.service", "podman.socket", "podman-restart.service"],
      ...["podman-auto-update.service", "podman-auto-update.timer"],
      ...["libvirtd.service", "libvirtd.socket", "libvirtd-ro.socket", "libvirtd-admin.socket"],
      ...["virtlogd.socket", "virtlogd-admin.socket", "virtlockd.socket", "virtlockd-admin.socket"],
      ...["libvirt-guests.service"],
    ],
  },
};

/** @typedef {keyof typeof rootfsRecipes} RootfsKind */

export const allRootfs = /** @type {readonly RootfsKind[]} */ (Object.keys(rootfsRecipes));

/**
 * Names the folder of a root file system. The folder exists only when it is complete.
 * @param {RootfsKind} kind
 */
export function locateRootfs(kind) {
  const content = JSON.stringify([process.arch, kind, rootfsRecipes[kind]]);
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 16);
  return join(cacheFolder, `rootfs-${digest}`);
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
