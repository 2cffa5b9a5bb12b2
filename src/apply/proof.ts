import { KnockgateError } from "../errors.js";
import type { Counts } from "../plan/counts.js";
import type { CutOff, Route, Vantage } from "../transport/host.js";
import type { OtherGate } from "./behind.js";
import type { FindSource } from "./trace-knock.js";

/** What a proof needs to know besides the policy. */
export interface ProofContext {
  /** The deployer's own way to the host. */
  readonly route: Route;
  /** Where doors are tried from: the route, or another machine. */
  readonly vantage: Vantage;
  /** The same place's ways to the host's other addresses. */
  readonly others: readonly Vantage[];
  /** Those of the host's addresses that it has no way to. */
  readonly cutOff: readonly CutOff[];
  /** What the host says its addresses towards others are; none where it can't tell. */
  readonly hostAddresses: readonly string[];
  /** Whether there is time for more before the host undoes the change. */
  hasTime(): boolean;
  readonly sshPort: number;
  /** Gates of other policies on the host. Default: none. */
  readonly behind?: readonly OtherGate[];
  /** The deployer's address as the host sees it. */
  readonly clientAddress: string;
  /** How long a handshake takes on this way; waits grow with it. */
  readonly dialMs: number;
  /** What the host's kernel had counted for each gate right after the load; `undefined` when it can't be told. */
  readonly counted: Counts | undefined;
  /** How fresh a source is in one of the host's sets. */
  readonly findSource: FindSource;
  /** What it has counted by now. */
  countPackets(): Promise<Counts | undefined>;
  log(line: string): void;
}

/** The address that a port is tried at, where the host has several. */
export function nameTarget({ vantage, others }: Pick<ProofContext, "vantage" | "others">): string {
  return vantage.target === undefined || others.length === 0 ? "" : ` of ${vantage.target}`;
}

/** Packets get lost: what did not come through is sent again, each try a whole sequence. */
export const proofTries = 3;

/** Says that a try was in vain, and what is done next. */
export function describeTry(triesBefore: number, what: string): string {
  const next = triesBefore + 1 < proofTries ? "the knock is sent again" : "the host is asked how far it came";
  return `try ${triesBefore + 1} of ${proofTries}: ${what}; ${next}`;
}

export function notConfirmed(message: string, cause?: unknown): KnockgateError {
  return new KnockgateError("NOT_CONFIRMED", message, { cause });
}
