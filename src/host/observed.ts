import type { HostTools, LoadedTable } from "../backends/backend.js";
import type { Policy } from "../policy/policy.js";
import type { ObservedTokens } from "./tokens.js";

/** What a host said of itself and of one policy, as data. */
export interface Observed extends HostTools {
  /** The deployer's address as the host sees it. */
  readonly clientAddress: string;
  /**
   * The addresses from which the host reaches others, at most one per family. Default: none, where the host can't tell.
   */
  readonly addresses?: readonly string[];
  readonly backend: Policy["backend"];
  /** The tool that lists a policy, with its version, in its own words. Absent: the host did not say. */
  readonly lister?: string;
  /** Commands that the host script needs and the host lacks. */
  readonly missing: readonly string[];
  /** What boots the host. With `other`, the gate comes back at boot only if the administrator adds a hook. */
  readonly init: "systemd" | "openrc" | "other";
  /** Places that a change has to write to, but can't. */
  readonly unwritable: readonly string[];
  /** Whether the service that a change made to load the confirmed ruleset at boot is missing or not enabled. */
  readonly isMissingAtBoot?: boolean;
  /** The ruleset that was confirmed last and is loaded at boot. */
  readonly confirmed?: ConfirmedRuleset;
  /** What the kernel has now; absent when the policy's table is not loaded. */
  readonly loaded?: LoadedTable;
  /** The change that is armed, or that was armed when the host's timer died. Absent: none. */
  readonly pendingId?: string;
  /** All tables of the host, from `nft -j -t list ruleset`; or one line for each table that nft can list. */
  readonly tables: string;
  /** Which of the host's tables could not be listed, in words. */
  readonly unlisted?: readonly string[];
  /**
   * Only with iptables: the rules of the built-in chain up to the policy's jump, as iptables-save lists them, each
   * family below its heading. Without a jump: all rules of the chain.
   */
  readonly preceding?: string;
  /**
   * What iptables-save and ip6tables-save list, except our own chains, each below its heading. Nothing where there is
   * no iptables.
   */
  readonly xtables?: string;
  /** Firewalls of the host that empty iptables' tables at each reload. Looked for only when the backend is iptables. */
  readonly flushers?: readonly string[];
  /** Files that are loaded at boot and have a copy of the policy's rules. */
  readonly savedIn?: readonly string[];
  /** Lists in /proc that show who knocks, and that users other than root may read. */
  readonly readable?: readonly string[];
  /** Whether every user of the host may read the kernel's log (proc_sys_kernel(5): dmesg_restrict). */
  readonly isKernelLogPublic?: boolean;
  /** What sudo keeps of our programs in its I/O log (sudoers(5): log_input, log_output). */
  readonly sudoLogs?: readonly ("input" | "output")[];
  /**
   * The ports that other policies of the host protect. For each policy: a line `policy NAME BACKEND`, then the lines of
   * its confirmed ruleset that lead to a door.
   */
  readonly doors?: string;
  /** Rules of iptables that keep packets from conntrack, as iptables-save lists them. */
  readonly untracked?: string;
  /** The host's net.ipv4.tcp_syncookies; empty where it has none. */
  readonly synCookies?: string;
  /** Output of `ss -Hltun`. Without ss: /proc/net/tcp, tcp6, udp and udp6, each below a line `tcp` or `udp`. */
  readonly sockets: string;
  /** The host's clock, in seconds since 1970. Absent: the host did not say it. */
  readonly clock?: number;
  /** Whether the host can't hold tokens: its nft is older than 0.9.4, or its shell has no printf of its own. */
  readonly refusesTokens?: true;
  /** Absent: no tokens are confirmed there. */
  readonly tokens?: ObservedTokens;
  /** Whether what a change installed to fill the sets of tokens is missing, not enabled or stopped. */
  readonly isFillMissing?: true;
  /** Why the last change on the host was undone, when it was. */
  readonly undone?: string;
}

interface ConfirmedRuleset {
  readonly owner: string;
  /** What keeps it, in the host script's words. Absent: the script did not say. */
  readonly keptBy?: string;
  /** The text that was loaded. Secret. */
  readonly text: string;
  /** What the kernel said right after it was loaded. Secret. */
  readonly listing: string;
}

/** Whether the host's kernel still has exactly what was confirmed. */
export function isUnchanged(observed: Observed): boolean {
  return observed.confirmed !== undefined && observed.confirmed.listing === observed.loaded?.listing;
}
