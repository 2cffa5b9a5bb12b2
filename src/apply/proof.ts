import { KnockgateError } from "../errors.js";
import type { Counts } from "../plan/counts.js";
import type { Route, Vantage } from "../transport/host.js";
import type { OtherGate } from "./behind.js";

/** What a proof needs to know besides the policy. */
export interface ProofContext {
  /** The deployer's own way to the host. */
  readonly route: Route;
  /** Where doors are tried from: the route, or another machine. */
  readonly vantage: Vantage;
  readonly sshPort: number;
  /** Gates of other policies on the host. Default: none. */
  readonly behind?: readonly OtherGate[];
  /** The deployer's address as the host sees it. */
  readonly clientAddress: string;
  /** How long a handshake takes on this way; waits grow with it. */
  readonly dialMs: number;
  /** What the host's kernel had counted for each gate right after the load; `undefined` when it can't be told. */
  readonly counted: Counts | undefined;
  /** What it has counted by now. */
  countPackets(): Promise<Counts | undefined>;
  log(line: string): void;
}

/** Packets get lost: what did not come through is sent again, each try a whole sequence. */
export const proofTries = 3;

export function notConfirmed(message: string, cause?: unknown): KnockgateError {
  return new KnockgateError("NOT_CONFIRMED", message, { cause });
}
