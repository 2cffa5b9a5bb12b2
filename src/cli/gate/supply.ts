import type { KnockStep, TokenStep } from "../../knock/packet.js";
import type { Environment } from "../profiles/profile-store.js";

/** What a client sends to open a gate, try by try. */
export interface Supply {
  /** What is sent at each try, for messages. */
  readonly word: "knock" | "token";
  /** How many times all addresses are tried at most. 0: nothing is sent, and each address is asked once. */
  readonly tries: number;
  /** Whether echo requests are sent. */
  readonly isEcho: boolean;
  /** How long the port has to answer at a try, from 1. */
  patienceMs(attempt: number): number;
  /** Returns the next packets for an address; `undefined` when nothing is left to send. */
  next(address: string): Promise<readonly KnockStep[] | undefined>;
  /** Takes back the last packets, which were not sent. */
  giveBack(count: number): Promise<void>;
  /**
   * Is told the end, once, and returns what was wrong, as sentences for people.
   *
   * @param isOpen `undefined`: nothing shows it
   */
  finish(isOpen: boolean | undefined): Promise<readonly string[]>;
}

/** How a supply is made. Not a copy of a command's context: to read all its fields opens standard input. */
export interface SupplyContext {
  readonly environment: Environment;
  /** How many times to try. Default: 3, and with tokens all slots that a client tries. */
  readonly tries?: number | undefined;
  /** Default: `open`. */
  readonly use?: TokenStep["use"];
}
