import type { Carrier } from "../policy/carrier.js";
import type { PolicyPath } from "../policy/policy-path.js";
import type { PortRange } from "../policy/port.js";
import type { Family, Prefix } from "../policy/prefix.js";
import type { Step } from "../policy/step.js";

/**
 * The parts of the policy that something comes from, in any order. A path to a part of a gate stands for the gate, too.
 * A line comes from what its rule, set or chain comes from, and from all that is printed in it.
 */
export type Paths = readonly PolicyPath[];

/**
 * What a firewall has to do for a policy, for any backend and both address families. Each backend prints it for IPv4
 * and IPv6.
 */
export interface Ruleset {
  readonly policy: string;
  readonly scope: "input" | "prerouting";
  readonly sets: readonly SourceSet[];
  /** Only of a policy with users. */
  readonly tokenSets: readonly TokenSet[];
  readonly counters: readonly Counter[];
  readonly chains: readonly Chain[];
}

export interface Counter {
  readonly name: string;
  readonly from: Paths;
}

/** A set of sources. It keeps each source for a limited time. */
export interface SourceSet {
  readonly name: string;
  readonly from: Paths;
  /**
   * `source`: the address. `packet`: address and source port, so that a repeated packet is recognized. `network`: the
   * address's /24 or /64.
   */
  readonly key: "source" | "packet" | "network";
  /** `progress` means nothing after a new ruleset is loaded. `open` holds doors, which stay open across such a load. */
  readonly role: "progress" | "open";
  readonly timeoutSeconds: number;
  readonly timeoutFrom: Paths;
  /** How many elements it holds at most. */
  readonly size: number;
  readonly sizeFrom: Paths;
}

/**
 * A set of tokens that are good and not yet used, for both address families. The host fills it. Each token has a timeout
 * of its own.
 */
export interface TokenSet {
  readonly name: string;
  readonly from: Paths;
  /** Whose tokens. `undefined`: all tokens of the policy. */
  readonly owner?: TokenOwner | undefined;
  /** How many tokens it holds at most. */
  readonly size: number;
}

/** A user, as far as one gate's tokens depend on it. */
interface TokenOwner {
  readonly gate: string;
  readonly user: string;
  /** Secret. */
  readonly key: string;
}

/** A list of rules. The kernel hands each packet of the scope to exactly one chain, which is called `input`. */
export interface Chain {
  readonly name: string;
  /** Only of the chain itself: each of its rules has its own. */
  readonly from: Paths;
  /** Only packets of this family come to it. `undefined`: of both. */
  readonly family?: Family;
  readonly rules: readonly Rule[];
}

/** If all matches hold for a packet, all effects happen in order. Then the verdict follows, if there is one. */
export interface Rule {
  readonly comment?: string;
  readonly from: Paths;
  readonly matches: readonly Match[];
  readonly effects: readonly Effect[];
  readonly verdict?: Verdict;
}

export type Match =
  | { readonly kind: "loopback" }
  | { readonly kind: "notLocal" }
  | { readonly kind: "ofFamily"; readonly family: Family }
  | { readonly kind: "established" }
  | { readonly kind: "related" }
  | { readonly kind: "fromPrefixes"; readonly prefixes: readonly Prefix[] }
  /** From a source whose address belongs to it on all links. */
  | { readonly kind: "notLinkLocal" }
  | { readonly kind: "tcpSyn" }
  | { readonly kind: "udp" }
  | { readonly kind: "icmpEcho" }
  | { readonly kind: "step"; readonly step: StepMatch }
  /**
   * A packet of these steps' kind, with the port or the size of one of them. The steps are all of one kind. UDP's size
   * is not looked at.
   */
  | { readonly kind: "anyStep"; readonly steps: readonly StepMatch[] }
  | { readonly kind: "inSet"; readonly set: string }
  | { readonly kind: "notInSet"; readonly set: string }
  /** A carrier's packet whose token is in the set. `use`: what its length says that it does. `undefined`: either. */
  | {
      readonly kind: "token";
      readonly carrier: Carrier;
      readonly set: string;
      readonly use?: TokenUse | undefined;
    }
  | { readonly kind: "overRate"; readonly set: string; readonly perSecond: number };

/** One step's packet. `gate` and `position` (from 1) identify the step, so that it can be shown without its secret. */
export interface SecretStep {
  readonly gate: string;
  readonly position: number;
  /** Secret. */
  readonly packet: Step;
}

export interface StepMatch extends SecretStep {
  readonly path: PolicyPath;
}

/** A token opens a door. With one byte more behind it, it closes the door. */
export type TokenUse = "open" | "close";

export type Effect =
  /**
   * `timeoutFrom` is for a backend that prints the set's timeout here. It is of the rule's own gate, also where the set
   * is of many gates.
   */
  | { readonly kind: "addSource"; readonly set: string; readonly timeoutFrom: Paths }
  | { readonly kind: "deleteSource"; readonly set: string }
  /** Takes the packet's token out of the set. */
  | { readonly kind: "deleteToken"; readonly carrier: Carrier; readonly set: string }
  | { readonly kind: "count"; readonly counter: string }
  | { readonly kind: "log"; readonly prefix: string; readonly perMinute: number };

/**
 * `accept` and `drop` are final for this ruleset. `goto` never comes back, `jump` does. `return` ends the chain.
 * `dispatch` goes to the chain of the range that contains the packet's port. `dispatchSteps` goes to the chain of the
 * step that the packet looks like, as {@link Match} `anyStep` compares them. If nothing fits, both go on to the next
 * rule.
 */
export type Verdict =
  | { readonly kind: "accept" | "drop" | "return"; readonly from?: Paths }
  | { readonly kind: "goto" | "jump"; readonly chain: string }
  | {
      readonly kind: "dispatch";
      readonly protocol: "tcp" | "udp";
      readonly entries: readonly DispatchEntry[];
      /** The name of the chain in which a backend without verdict maps lists many entries. */
      readonly list: string;
    }
  | {
      readonly kind: "dispatchSteps";
      /** The kind of the steps that it looks for. */
      readonly stepKind: Step["kind"];
      /** Steps of all kinds, because they tell which gates share a step. */
      readonly entries: readonly StepEntry[];
      /** The chain for a packet that looks like steps of several gates. It never comes back. */
      readonly all: string;
    };

export interface DispatchEntry {
  readonly range: PortRange;
  readonly from: Paths;
  readonly chain: string;
}

export interface StepEntry {
  readonly step: StepMatch;
  readonly how: "goto" | "jump";
  readonly chain: string;
  /** Where the packet jumps to instead, if any of the gate's steps looks like a step of another gate. */
  readonly ifShared?: string;
}

/** Prints a step's secret, its `port` or its `payload` size: the value for the host, a label for people. */
export type SecretFormatter = (step: SecretStep, field: "port" | "payload", value: number) => string;
