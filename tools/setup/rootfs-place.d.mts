export type RootfsKind = "systemd" | "openrc" | "bullseye" | "trixie" | "sid" | "firewalls";
export declare const rootfsCache: string;
export declare function locateRootfs(kind: RootfsKind): string;
/** Finds a root file system that was built before; throws with the remedy when there is none. */
export declare function findRootfs(kind: RootfsKind): string;
