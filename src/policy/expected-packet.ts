import { unreachable } from "../errors.js";
import { readStep, type Step, type StepInput, writeStep } from "./step.js";

/**
 * One packet of a policy's own test, as users write it: a step, or a token of a user for the gate that is tried. Only
 * this file reads it.
 */
export interface ExpectedPacketInput extends StepInput {
  /** The user's name. */
  readonly token?: string | undefined;
  /** Only for `token`: how many slots after the current one. `undefined`: the next slot that the user has not sent. */
  readonly slot?: number | undefined;
  /** Only for `token`: whether it is the token that the user sent last. */
  readonly again?: boolean | undefined;
  /** Only for `token`: whether it has one byte more, so that it closes the door. */
  readonly close?: boolean | undefined;
  readonly afterSeconds?: number | undefined;
}

/** A packet, and how many seconds after the packet before it is sent. */
export type ExpectedPacket =
  | { readonly kind: "step"; readonly step: Step; readonly afterSeconds: number }
  | ExpectedToken;

/** A token of a user for the gate that is tried. */
export interface ExpectedToken {
  readonly kind: "token";
  readonly user: string;
  readonly choice: TokenChoice;
  readonly use: "open" | "close";
  readonly afterSeconds: number;
}

/** Which of a user's tokens is sent. */
export type TokenChoice =
  /** That of the first slot from the current one that the user has not sent yet. */
  | { readonly kind: "next" }
  /** The one that the user sent last. */
  | { readonly kind: "again" }
  /** That of a slot, counted from the current one. */
  | { readonly kind: "slot"; readonly ahead: number };

/** Reads a packet whose fields were already checked. */
export function readExpectedPacket({
  token,
  slot,
  again = false,
  close = false,
  afterSeconds = 0,
  ...step
}: ExpectedPacketInput): ExpectedPacket {
  if (token === undefined) return { kind: "step", step: readStep(step), afterSeconds };
  const choice: TokenChoice =
    slot === undefined ? { kind: again ? "again" : "next" } : { kind: "slot", ahead: slot };
  return { kind: "token", user: token, choice, use: close ? "close" : "open", afterSeconds };
}

/** Writes a packet in the shape that users write. */
export function writeExpectedPacket(packet: ExpectedPacket): ExpectedPacketInput {
  switch (packet.kind) {
    case "step":
      return { ...writeStep(packet.step), afterSeconds: packet.afterSeconds };
    case "token": {
      const { user, choice, use, afterSeconds } = packet;
      return {
        token: user,
        ...writeChoice(choice),
        ...(use === "close" ? { close: true } : {}),
        afterSeconds,
      };
    }
    default:
      return unreachable(packet);
  }
}

function writeChoice(choice: TokenChoice): Pick<ExpectedPacketInput, "slot" | "again"> {
  switch (choice.kind) {
    case "next":
      return {};
    case "again":
      return { again: true };
    case "slot":
      return { slot: choice.ahead };
    default:
      return unreachable(choice);
  }
}
