export type RootfsKind =
  | "systemd"
  | "bullseye"
  | "trixie"
  | "sid"
  | "bullseye-kernel"
  | "trixie-kernel"
  | "emulator"
  | "openrc"
  | "sysvinit"
  | "runit"
  | "busybox"
  | "sudo-rs"
  | "containers"
  | "firewalls";
export declare const allRootfs: readonly RootfsKind[];
export declare function locateRootfs(kind: RootfsKind): string;
/** Finds a root file system that was built before; throws with the remedy when there is none. */
export declare function findRootfs(kind: RootfsKind): string;
