import type { Policy } from "../policy/schema.js";

/** What a host said of itself and of one policy, as data. */
export interface Observed {
  /** The deployer's address as the host sees it. */
  readonly clientAddress: string;
  readonly backend: Policy["backend"];
  /** `1.0.6`; empty when there is no nft. */
  readonly nftVersion: string;
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
  /** `nft -j -t list ruleset`: all tables of the host, or where there are too many rules to look through the policy's alone. */
  readonly tables: string;
  /**
   * For iptables: the rules of the kernel's chain as iptables-save lists them, up to the policy's jump, for each family
   * below its heading. Without a jump all of them.
   */
  readonly front?: string;
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
  /** The text that was loaded. Secret. */
  readonly text: string;
  /** What the kernel said right after it was loaded. Secret. */
  readonly listing: string;
}

export interface LoadedTable {
  /** `nft -s -t list table`. Secret. */
  readonly listing: string;
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
