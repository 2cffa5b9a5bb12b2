import type { Carrier, CarrierInput } from "./carrier.js";
import type { ExpectedPacket, ExpectedPacketInput } from "./expected-packet.js";
import type { Step, StepInput } from "./step.js";

/**
 * The shape of a policy, written out here so that the public declarations need no other package. `schema.ts` checks it.
 * A type test compares the two.
 */

/** The firewalls that a policy can name. For each, `backends.ts` has what Knockgate does with it. */
export const backendNames = ["nftables", "iptables"] as const;

/** A policy as a user writes it. Fields that have a default may be left out. */
export interface PolicyInput {
  /** Names the table (nftables) or the chains (iptables). */
  name: string;
  /** At least one. */
  gates: GateInput[];
  /** Whose tokens open the gates that tokens open. Default: none. */
  users?: UserInput[] | undefined;
  /** The user as whom the deployer passes. Default: the first user whose tokens open the gate. */
  deployAs?: string | undefined;
  /** How tokens come and go. The defaults are good for most hosts. */
  tokens?: TokenSettingsInput | undefined;
  /** Sources that never need to knock: addresses, or prefixes in CIDR notation. Default: none. */
  allowFrom?: string[] | undefined;
  /** Sources for which no door is ever open: addresses, or prefixes in CIDR notation. Default: none. */
  denyFrom?: string[] | undefined;
  /** The firewall that keeps the gates. Default: `nftables`. */
  backend?: Policy["backend"] | undefined;
  /** Where packets are gated. `prerouting`: before destination NAT. Default: `input`. */
  scope?: Policy["scope"] | undefined;
  /** Whether a gated port drops everything that conntrack does not know. Default: false. */
  stealth?: boolean | undefined;
  /** What is written to the kernel's log. Default: nothing. */
  log?: LogInput | undefined;
  /** What a flood can take. The defaults are good for most hosts. */
  limits?: LimitsInput | undefined;
  /** Rules of the linter whose errors are accepted. Default: none. */
  acceptRisks?: string[] | undefined;
  /** The policy's own tests. Default: none. */
  expect?: ExpectationInput[] | undefined;
}

interface GateInput {
  name: string;
  protect: Mutable<Protect>[];
  knock: WritableKnockInput;
  openForSeconds?: number | undefined;
  singleConnection?: boolean | undefined;
}

interface WritableKnockInput {
  steps?: Mutable<StepInput>[] | undefined;
  stepTimeoutSeconds?: number | undefined;
  strict?: boolean | undefined;
  token?: Mutable<CarrierInput> | undefined;
}

interface UserInput {
  name: string;
  key: string;
  gates?: string[] | undefined;
  from?: string[] | undefined;
}

export interface TokenSettingsInput {
  slotSeconds?: number | undefined;
  horizonDays?: number | undefined;
  graceSeconds?: number | undefined;
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
  packets?: Mutable<ExpectedPacketInput>[] | undefined;
  gate: string;
  afterSeconds?: number | undefined;
  isOpen: boolean;
}

/** A valid policy, with its defaults filled in. */
export interface Policy {
  /** Names the table (nftables) or the chains (iptables). */
  readonly name: string;
  /** At least one. */
  readonly gates: readonly Gate[];
  /** Whose tokens open the gates that tokens open. */
  readonly users: readonly User[];
  /** The user as whom the deployer passes. `undefined`: the first user whose tokens open the gate. */
  readonly deployAs?: string | undefined;
  /** How tokens come and go. */
  readonly tokens: TokenSettings;
  /** Sources that never need to knock: addresses, or prefixes in CIDR notation. */
  readonly allowFrom: readonly string[];
  /** Sources for which no door is ever open: addresses, or prefixes in CIDR notation. */
  readonly denyFrom: readonly string[];
  /** The firewall that keeps the gates. */
  readonly backend: (typeof backendNames)[number];
  /** Where packets are gated. `prerouting`: before destination NAT. */
  readonly scope: "input" | "prerouting";
  /** Whether a gated port drops everything that conntrack does not know. */
  readonly stealth: boolean;
  /** What is written to the kernel's log. `undefined`: nothing. */
  readonly log?: LogSettings | undefined;
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
  /** Whether a door lets in one connection for each time that it is opened. */
  readonly singleConnection: boolean;
}

/** What a client sends: a sequence of steps, or one token. */
export type Knock = SequenceKnock | TokenKnock;

/** Steps, in the order in which they are sent. */
export interface SequenceKnock {
  readonly kind: "sequence";
  readonly steps: readonly Step[];
  readonly stepTimeoutSeconds: number;
  readonly strict: boolean;
}

/** One packet that is good once. */
export interface TokenKnock {
  readonly kind: "token";
  readonly carrier: Carrier;
}

/** Somebody with a key of their own. */
export interface User {
  readonly name: string;
  /** Secret. 32 to 64 of the characters A-Z, a-z, 0-9, `-` and `_`. */
  readonly key: string;
  /** The gates that the user's tokens open. `undefined`: all gates that tokens open. */
  readonly gates?: readonly string[] | undefined;
  /** Sources from which the user's tokens count: addresses, or prefixes in CIDR notation. `undefined`: any. */
  readonly from?: readonly string[] | undefined;
}

/** How tokens come and go. */
export interface TokenSettings {
  /** How long a slot is. */
  readonly slotSeconds: number;
  /** How far ahead a host holds tokens. When nothing fills its sets any more, the gates can be opened for so long. */
  readonly horizonDays: number;
  /** How long a token still opens after the end of its slot. */
  readonly graceSeconds: number;
}

/** A protected port or range. Exactly one of the fields is set. */
interface Protect {
  readonly tcp?: string | undefined;
  readonly udp?: string | undefined;
}

/** Events that can be written to the kernel's log, and are counted. */
export type Event = "opened" | "accepted" | "dropped" | "reset";

/** Lines in the kernel's log. */
interface LogSettings {
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

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
