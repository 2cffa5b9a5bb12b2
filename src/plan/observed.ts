import type { Policy } from "../policy/policy.js";

/** What a host said of itself and of one policy, as data. */
export interface Observed {
  /** The deployer's address as the host sees it. */
  readonly clientAddress: string;
  /** The addresses by which it reaches others, one of a family at most; none where it can't tell. Default: none. */
  readonly addresses?: readonly string[];
  readonly backend: Policy["backend"];
  /** `1.0.6`; empty when there is no nft. */
  readonly nftVersion: string;
  /** Why nft can't list as JSON what a gate is made of: built without it, or it crashes. Absent: it can. */
  readonly nftJson?: "missing" | "fails";
  /** Whether the host's tool crashed when it was asked for what is loaded: then nothing is known of that. */
  readonly isUnlisted?: boolean;
  /** `iptables v1.8.9 (nf_tables)`: the variant in brackets; empty when there is no iptables. */
  readonly iptablesVersion: string;
  /** Commands that the host script needs and the host lacks. */
  readonly missing: readonly string[];
  /** What boots the host. With `other` the gate comes back at boot only by a hook of the administrator's. */
  readonly init: "systemd" | "openrc" | "other";
  /** Places that a change writes to, and where nothing can be written. */
  readonly unwritable: readonly string[];
  /** Whether the service that a change made to load the confirmed ruleset at boot is missing or not enabled. */
  readonly isMissingAtBoot?: boolean;
  /** The ruleset that was confirmed last and is loaded at boot. */
  readonly confirmed?: ConfirmedRuleset;
  /** What the kernel has now; absent when the policy's table is not loaded. */
  readonly loaded?: LoadedTable;
  /** The change that is armed, or was when the host's timer died; absent: none. */
  readonly pendingId?: string;
  /** `nft -j -t list ruleset`: all tables of the host; or a line for each table that nft can list. */
  readonly tables: string;
  /** What of the host's tables could not be listed, in words. */
  readonly unlisted?: readonly string[];
  /**
   * For iptables: the rules of the kernel's chain as iptables-save lists them, up to the policy's jump, for each family
   * below its heading. Without a jump all of them.
   */
  readonly front?: string;
  /** What iptables-save and ip6tables-save list but our own chains, each below its heading; where there is no iptables, nothing. */
  readonly xtables?: string;
  /** Firewalls of the host that empty iptables' tables at each reload; looked for where the backend is iptables. */
  readonly flushers?: readonly string[];
  /** Files that are loaded at boot and have a copy of the policy's rules. */
  readonly savedIn?: readonly string[];
  /** Lists in /proc, of who knocks, that others than root may read. */
  readonly readable?: readonly string[];
  /** Whether every user of the host may read the kernel's log (proc_sys_kernel(5): dmesg_restrict). */
  readonly isKernelLogPublic?: boolean;
  /**
   * Where other policies of the host gate ports: of each a line `policy NAME BACKEND` and the lines of its confirmed ruleset that
   * lead to a door.
   */
  readonly doors?: string;
  /** Rules of iptables that keep packets from conntrack, as iptables-save lists them. */
  readonly untracked?: string;
  /** The host's net.ipv4.tcp_syncookies; empty where it has none. */
  readonly synCookies?: string;
  /** `ss -Hltun`; where there is no ss, /proc/net/tcp, tcp6, udp and udp6, below a line `tcp` or `udp` each. */
  readonly sockets: string;
  /** Why the last change on the host was undone, when it was. */
  readonly undone?: string;
}

interface ConfirmedRuleset {
  readonly owner: string;
  /** What keeps it, in the host script's words; absent: not said. */
  readonly keptBy?: string;
  /** The text that was loaded. Secret. */
  readonly text: string;
  /** What the kernel said right after it was loaded. Secret. */
  readonly listing: string;
}

export interface LoadedTable {
  /** `nft -s -t list table`. Secret. */
  readonly listing: string;
  /** Whether nft did not tell what is in it: then it can only be replaced. */
  readonly isUndescribed?: boolean;
  readonly sets: readonly ObservedSet[];
  readonly chains: readonly ObservedChain[];
  /** Named counters. */
  readonly counters: readonly string[];
}

/** As `nft -j list table` says it (libnftables-json(5)), where a later ruleset could clash with it. */
export interface ObservedSet {
  readonly name: string;
  /** The key's type, parts of a concatenation joined by ` . `. */
  readonly type: string;
  readonly size?: number | undefined;
  readonly flags: readonly string[];
}

export interface ObservedChain {
  readonly name: string;
  readonly hook?: string | undefined;
  readonly priority?: number | undefined;
}

/** Whether the host's kernel still has exactly what was confirmed. */
export function isUnchanged(observed: Observed): boolean {
  return observed.confirmed !== undefined && observed.confirmed.listing === observed.loaded?.listing;
}
