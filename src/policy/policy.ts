import type { Step, StepInput } from "./step.js";

/**
 * The shape of a policy, written out, so that public declarations need no other package: `schema.ts` checks it, and a type
 * test holds the two together.
 */

/** A policy as its user writes it, defaults left out. */
export interface PolicyInput {
  /** Names the table or the chains. */
  name: string;
  /** At least one. */
  gates: GateInput[];
  /** Prefixes that never need to knock. Default: none. */
  allowFrom?: string[] | undefined;
  /** Prefixes for which no door is ever open. Default: none. */
  denyFrom?: string[] | undefined;
  /** Default: `nftables`. */
  backend?: Policy["backend"] | undefined;
  /** Default: `input`. */
  scope?: Policy["scope"] | undefined;
  /** Default: false. */
  stealth?: boolean | undefined;
  /** Default: nothing. */
  log?: LogInput | undefined;
  /** Defaults are good for most hosts. */
  limits?: LimitsInput | undefined;
  /** Rules of the linter whose errors are accepted. Default: none. */
  acceptRisks?: string[] | undefined;
  /** The policy's own tests. Default: none. */
  expect?: ExpectationInput[] | undefined;
}

interface GateInput {
  name: string;
  protect: Mutable<Protect>[];
  knock: KnockInput;
  openForSeconds?: number | undefined;
}

interface KnockInput {
  steps: Mutable<StepInput>[];
  stepTimeoutSeconds?: number | undefined;
  strict?: boolean | undefined;
}

interface LogInput {
  events: Event[];
  prefix?: string | undefined;
  perMinute?: number | undefined;
}

interface LimitsInput {
  sources?: number | undefined;
  firstStepsPerSecond?: number | undefined;
}

interface ExpectationInput {
  name: string;
  from: string;
  packets?: ExpectedPacketInput[] | undefined;
  gate: string;
  afterSeconds?: number | undefined;
  isOpen: boolean;
}

interface ExpectedPacketInput extends Mutable<StepInput> {
  afterSeconds?: number | undefined;
}

/** A policy that was found right, defaults filled in. */
export interface Policy {
  /** Names the table or the chains. */
  readonly name: string;
  /** At least one. */
  readonly gates: readonly Gate[];
  /** Prefixes that never need to knock. */
  readonly allowFrom: readonly string[];
  /** Prefixes for which no door is ever open. */
  readonly denyFrom: readonly string[];
  /** What keeps the gates on the host. */
  readonly backend: "nftables" | "iptables";
  /** `prerouting`: before destination NAT. */
  readonly scope: "input" | "prerouting";
  /** Whether all that conntrack does not know is dropped at a gated port. */
  readonly stealth: boolean;
  /** What goes to the kernel's log. `undefined`: nothing. */
  readonly log?: Log | undefined;
  /** What a flood can take. */
  readonly limits: Limits;
  /** Rules of the linter whose errors are accepted. */
  readonly acceptRisks: readonly string[];
  /** The policy's own tests. */
  readonly expect: readonly Expectation[];
}

/** Protected ports and the knock that opens them. */
export interface Gate {
  readonly name: string;
  readonly protect: readonly Protect[];
  readonly knock: Knock;
  readonly openForSeconds: number;
}

/** A protected port or range: exactly one of the fields. */
interface Protect {
  readonly tcp?: string | undefined;
  readonly udp?: string | undefined;
}

/** What a client sends. */
interface Knock {
  readonly steps: readonly Step[];
  readonly stepTimeoutSeconds: number;
  readonly strict: boolean;
}

/** What can be written to the kernel's log, and counted. */
export type Event = "opened" | "accepted" | "dropped" | "reset";

/** Lines in the kernel's log. */
interface Log {
  readonly events: readonly Event[];
  readonly prefix: string;
  readonly perMinute: number;
}

/** What a flood can take. */
interface Limits {
  readonly sources: number;
  readonly firstStepsPerSecond: number;
}

/** One of a policy's own tests. */
export interface Expectation {
  readonly name: string;
  readonly from: string;
  readonly packets: readonly ExpectedPacket[];
  readonly gate: string;
  readonly afterSeconds: number;
  readonly isOpen: boolean;
}

/** A step, and how long after the packet before it is sent. */
interface ExpectedPacket {
  readonly step: Step;
  readonly afterSeconds: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
