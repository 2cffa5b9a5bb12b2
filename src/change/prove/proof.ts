import { KnockgateError } from "../../errors.js";
import type { Counts } from "../../policy/counts.js";
import type { Gate, Policy } from "../../policy/policy.js";
import type { CutOff, Prober, Route } from "../../ssh/host.js";
import { listKnocksBefore, type OtherGate } from "../behind.js";
import { findKnock, type Knocker, makeKnocker } from "../knocker.js";
import type { Purse } from "../purse.js";

/**
 * Returns how fresh a source is in one of the host's sets: a number that grows when a packet puts the source there;
 * `undefined` when the source is not in the set.
 */
export type FindSource = (set: string, source: string) => Promise<number | undefined>;

/** What a proof needs besides the policy. */
export interface ProofContext {
  /** The deployer's own route to the host. */
  readonly route: Route;
  /** Where the gates are tried from: the route, or another machine. */
  readonly prober: Prober;
  /** Probers from the same place to the host's other addresses. */
  readonly others: readonly Prober[];
  /** The host's addresses that that place has no route to. */
  readonly cutOff: readonly CutOff[];
  /** The addresses that the host uses towards other networks, by its own account; empty when it can't tell. */
  readonly hostAddresses: readonly string[];
  /** Whether there is time for more tries before the host undoes the change. */
  hasTime(): boolean;
  /** The host's name for tokens. */
  readonly host: string;
  readonly purse: Purse;
  readonly sshPort: number;
  /** Gates of other policies on the host. Default: none. */
  readonly behind?: readonly OtherGate[];
  /** The deployer's address as the host sees it. */
  readonly clientAddress: string;
  /** How long an SSH handshake takes on this route. Waits scale with it. */
  readonly dialMs: number;
  /** The kernel's counts for each gate right after the load; `undefined` when they can't be read. */
  readonly counted: Counts | undefined;
  /** Finds how fresh a source is in one of the host's sets. */
  readonly findSource: FindSource;
  /** Reads the kernel's counts for each gate now. */
  countPackets(): Promise<Counts | undefined>;
  log(line: string): void;
}

/** Makes what opens a gate. */
export function makeOwnKnocker(
  policy: Policy,
  gate: Gate,
  { host, purse }: Pick<ProofContext, "host" | "purse">,
): Knocker {
  return makeKnocker([findKnock(policy, gate, host)], purse);
}

/** Makes what opens the other policies' gates that protect a TCP port, too. */
export function makeKnockerBefore(
  port: number,
  { behind = [], purse }: Pick<ProofContext, "behind" | "purse">,
): Knocker {
  return makeKnocker(listKnocksBefore(behind, port), purse);
}

/** Names the address that a port is tried at; empty when the host has only one. */
export function nameTarget({ prober, others }: Pick<ProofContext, "prober" | "others">): string {
  return prober.target === undefined || others.length === 0 ? "" : ` of ${prober.target}`;
}

/** Packets get lost, so a knock that did not work is sent again. Each try sends the whole sequence. */
export const proofTries = 3;

/**
 * Chooses the time for a dial of the proof, from what the first dial took. Three late dials must fit into the time until
 * the host undoes the change, also where a dial takes seconds: there the factor shrinks.
 */
export function limitDial(dialMs: number): number {
  return Math.max(4_000, Math.min(8 * dialMs, 10_000), 2 * dialMs);
}

/** Says that a try failed, and what is done next. */
export function describeTry(triesBefore: number, what: string): string {
  const next = triesBefore + 1 < proofTries ? "the knock is sent again" : "the host is asked how far it came";
  return `try ${triesBefore + 1} of ${proofTries}: ${what}; ${next}`;
}

export function notConfirmed(message: string, cause?: unknown): KnockgateError {
  return new KnockgateError("NOT_CONFIRMED", message, { cause });
}
