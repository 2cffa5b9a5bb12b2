import type { GateCounts } from "../policy/counts.js";
import type { LintRule } from "../policy/lint-rule.js";
import type { Gate, Policy, TokenSettings } from "../policy/policy.js";
import type { Family } from "../policy/prefix.js";
import type { Abilities } from "../ruleset/abilities.js";
import type { Ruleset, SecretFormatter } from "../ruleset/ruleset.js";
import type { Line } from "./line.js";

/** All that differs between firewalls. A new firewall implements this in a folder of its own. */
export interface Backend {
  /** What the ruleset's tree depends on. */
  readonly abilities: Abilities;
  /** What this firewall can't do, or can do only within limits. */
  readonly lintRules: readonly LintRule[];
  /**
   * The tables of the host's other rules (`ip filter`) in which a policy's accept is final, because its rules stand
   * there, too.
   */
  finalTables(scope: Policy["scope"]): readonly string[];
  /** Says how many sources a policy's sets hold. */
  describeRoom(limits: Policy["limits"]): string;

  /**
   * Prints a ruleset, as the lines that a host keeps and loads. Each line says which parts of the policy it comes from.
   * The same ruleset gives the same lines.
   */
  render(ruleset: Ruleset, show: SecretFormatter): readonly Line[];
  /**
   * Plans how a ruleset replaces what is loaded, in one transaction.
   *
   * @param sources the addresses for which the load closes all doors
   */
  planLoad(ruleset: Ruleset, loaded: LoadedTable | undefined, sources: readonly string[]): Load;

  /**
   * Writes what a host makes its tokens from, for the host script. Secret. `undefined`: the ruleset has no tokens.
   *
   * @param host the host's name for tokens
   */
  writeTokenSource(ruleset: Ruleset, host: string, settings: TokenSettings): string | undefined;

  /** The host script's name for it. */
  nameOnHost(scope: Policy["scope"]): HostBackend;
  /** Why the host's tools can't do what a change needs. */
  checkTools(tools: HostTools): readonly string[];
  /** The host's tool and its version. */
  describeTool(tools: HostTools): string;
  /** Reads what the host script says of a loaded policy: the listing, and what describes it (`own`). */
  readLoaded(policy: string, listing: string, own: string): LoadedTable;
  /** Cuts a listing into parts whose order has no meaning. */
  splitListing(listing: string): readonly ListingPart[];
  /** Reads the packets that the kernel has counted. Returns `undefined` when the text is something else. */
  readCounts(text: string, policy: Policy): ((gate: Gate) => GateCounts) | undefined;
  /** Finds the rules of others that may decide on a packet before the policy sees it. */
  findPrecedingRules(listed: string, policy: string): readonly PrecedingRule[];

  /** Names the kernel's set that holds a source. */
  nameSet(policy: string, set: string, source: string): string;
  /** Writes a source as the kernel lists it. */
  writeSource(source: string): string;
  /** Reads how fresh a source is in a set, as a number that grows when the source is added again. */
  readFreshness(said: string): number;
}

/** The host script's name for a backend. For iptables it includes the table, which depends on the policy's scope. */
export type HostBackend = "nftables" | `iptables_${string}`;

/** What a host loads in one go. */
export interface Load {
  /**
   * `refill` keeps the open doors. `replace` closes them: nothing is loaded, or the new ruleset does not fit the loaded
   * one.
   */
  readonly kind: "refill" | "replace";
  /** Whether what somebody added to the loaded ruleset can make it fail. Then a replacement still works. */
  readonly dependsOnLoaded: boolean;
  /** Secret. */
  readonly text: string;
}

/** A host's firewall tools. */
export interface HostTools {
  /** `1.0.6`; empty when there is no nft. */
  readonly nftVersion: string;
  /** Why nft can't list a gate's table as JSON: nft was built without JSON, or it crashes. Absent: it can. */
  readonly nftJson?: "missing" | "fails";
  /** Whether the host's tool crashed when it listed what is loaded. Then it is not known what is loaded. */
  readonly isUnlisted?: boolean;
  /** `iptables v1.8.9 (nf_tables)`: the variant in brackets; empty when there is no iptables. */
  readonly iptablesVersion: string;
  /** What `uname -r` says: `6.1.0-38-amd64`; empty when the host did not say it. */
  readonly kernelRelease: string;
}

/** A policy's ruleset, as a host's kernel has it. */
export interface LoadedTable {
  /** `nft -s -t list table`, or the policy's own lines of iptables-save. Secret. */
  readonly listing: string;
  /** Whether nft did not describe its contents. Then the table can only be replaced. */
  readonly isUndescribed?: boolean;
  readonly sets: readonly ObservedSet[];
  readonly chains: readonly ObservedChain[];
  /** Named counters. */
  readonly counters: readonly string[];
}

/**
 * A set as `nft -j list table` describes it (libnftables-json(5)): the fields that a later ruleset could clash with.
 */
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

/** A part of a listing: a block of nft, or the rules of an iptables chain. */
export interface ListingPart {
  readonly name: string;
  readonly text: string;
  /** Whether an empty line separates it from a block before it. */
  readonly isBlock?: boolean;
}

/** Another firewall's rule that packets meet before the policy's jump, so it decides first. */
export interface PrecedingRule {
  readonly family: Family;
  /** As iptables-save lists it. */
  readonly rule: string;
}
