import type { PortRange } from "../policy/port.js";
import type { Prefix } from "../policy/prefix.js";

/**
 * What a firewall has to do for a policy, in no backend's words and for no one address family: each backend prints it
 * for IPv4 and IPv6 both.
 */
export interface Ruleset {
  readonly policy: string;
  readonly sets: readonly SourceSet[];
  readonly chains: readonly Chain[];
}

/** A set of sources that forgets each of them by itself. */
export interface SourceSet {
  readonly name: string;
  /** `source`: the address. `packet`: address and source port, so that a packet sent again is known. */
  readonly key: "source" | "packet";
  /** `progress` is worthless after a new ruleset; `open` holds doors that stay open across one. */
  readonly role: "progress" | "open";
  readonly timeoutSeconds: number;
}

/** A list of rules; exactly one of a ruleset's chains, called `input`, sees each packet to the host. */
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
  | { readonly kind: "fromPrefixes"; readonly prefixes: readonly Prefix[] }
  | { readonly kind: "beginsTcp" }
  | { readonly kind: "beginsUdp" }
  | { readonly kind: "beginsEcho" }
  | { readonly kind: "toPorts"; readonly protocol: "tcp" | "udp"; readonly ranges: readonly PortRange[] }
  | { readonly kind: "step"; readonly step: StepMatch }
  | { readonly kind: "inSet"; readonly set: string }
  | { readonly kind: "notInSet"; readonly set: string };

/** One step's packet. `gate` and `position` (from 1) say which step it is, so that it can be shown without its port. */
export interface StepMatch {
  readonly gate: string;
  readonly position: number;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}

export type Effect =
  | { readonly kind: "put"; readonly set: string }
  | { readonly kind: "take"; readonly set: string };

/** `accept` and `drop` are final for this ruleset; `go` never comes back, `call` does; `return` ends the chain. */
export type Verdict =
  | { readonly kind: "accept" | "drop" | "return" }
  | { readonly kind: "go" | "call"; readonly chain: string };
