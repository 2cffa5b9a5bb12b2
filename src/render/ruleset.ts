import type { PortRange } from "../policy/port.js";
import type { Prefix } from "../policy/prefix.js";
import type { Step } from "../policy/step.js";

/**
 * What a firewall has to do for a policy, in no backend's words and for no one address family: each backend prints it
 * for IPv4 and IPv6 both.
 */
export interface Ruleset {
  readonly policy: string;
  readonly scope: "input" | "prerouting";
  readonly sets: readonly SourceSet[];
  readonly counters: readonly string[];
  readonly chains: readonly Chain[];
}

/** A set of sources that forgets each of them by itself. */
export interface SourceSet {
  readonly name: string;
  /**
   * `source`: the address. `packet`: address and source port, so that a packet sent again is known. `network`: the
   * address's /24 or /64.
   */
  readonly key: "source" | "packet" | "network";
  /** `progress` is worthless after a new ruleset; `open` holds doors that stay open across one. */
  readonly role: "progress" | "open";
  readonly timeoutSeconds: number;
  /** How many elements it holds at most. */
  readonly size: number;
}

/** A list of rules; exactly one of a ruleset's chains, called `input`, sees each packet of its scope. */
export interface Chain {
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** All matches hold for a packet: then all effects happen in order, and then the verdict, if there is one. */
export interface Rule {
  readonly comment?: string;
  readonly matches: readonly Match[];
  readonly effects: readonly Effect[];
  readonly verdict?: Verdict;
}

export type Match =
  | { readonly kind: "loopback" }
  | { readonly kind: "toOthers" }
  | { readonly kind: "established" }
  | { readonly kind: "related" }
  | { readonly kind: "fromPrefixes"; readonly prefixes: readonly Prefix[] }
  /** From a source whose address is its own on all links. */
  | { readonly kind: "notLinkLocal" }
  | { readonly kind: "beginsTcp" }
  | { readonly kind: "udp" }
  | { readonly kind: "icmpEcho" }
  | { readonly kind: "step"; readonly step: StepMatch }
  /** A packet of the kind and port, or size, of one of these steps, which are all of one kind; UDP's size is not looked at. */
  | { readonly kind: "likeStep"; readonly steps: readonly StepMatch[] }
  | { readonly kind: "inSet"; readonly set: string }
  | { readonly kind: "notInSet"; readonly set: string }
  | { readonly kind: "overRate"; readonly set: string; readonly perSecond: number };

/** One step's packet. `gate` and `position` (from 1) say which step it is, so that it can be shown without its secret. */
export interface StepMatch {
  readonly gate: string;
  readonly position: number;
  /** Secret. */
  readonly packet: Step;
}

export type Effect =
  | { readonly kind: "put"; readonly set: string }
  | { readonly kind: "take"; readonly set: string }
  | { readonly kind: "count"; readonly counter: string }
  | { readonly kind: "log"; readonly prefix: string; readonly perMinute: number };

/**
 * `accept` and `drop` are final for this ruleset; `go` never comes back, `call` does; `return` ends the chain.
 * `dispatch` goes to the chain of the range that a packet's port is in, `dispatchSteps` to the chain of the step that a packet is
 * alike, as {@link Match} `likeStep` is; both go on to the next rule when there is none.
 */
export type Verdict =
  | { readonly kind: "accept" | "drop" | "return" }
  | { readonly kind: "go" | "call"; readonly chain: string }
  | {
      readonly kind: "dispatch";
      readonly protocol: "tcp" | "udp";
      readonly entries: readonly DispatchEntry[];
      /** Names the chain where a backend that has no maps of verdicts lists many entries. */
      readonly list: string;
    }
  /** All of one kind; a packet that is alike several goes to the chain `all`. */
  | { readonly kind: "dispatchSteps"; readonly entries: readonly StepEntry[]; readonly all: string };

export interface DispatchEntry {
  readonly range: PortRange;
  readonly chain: string;
}

export interface StepEntry {
  readonly step: StepMatch;
  readonly chain: string;
}

/** Shows a step's secret, `port` or `payload` size: as it is for the host, as a label for people. */
export type ShowSecret = (step: StepMatch, field: "port" | "payload", value: number) => string;
