import { unreachable } from "../errors.js";
import type { PacketKind } from "../model/packet.js";
import { isStepPacket } from "../model/sequence.js";
import type { Step } from "../policy/step.js";

/** How a packet compares with a step. */
export type Likeness =
  | { readonly kind: "step" }
  /** The right port, but TCP instead of UDP, or UDP instead of TCP. */
  | { readonly kind: "otherProtocol"; readonly came: string; readonly wanted: string }
  /** Everything fits, except the size of the payload. */
  | { readonly kind: "otherSize"; readonly moreBytes: number }
  | { readonly kind: "other" };

export function compareWithStep(step: Step, kind: PacketKind): Likeness {
  if (isStepPacket(step, kind)) return { kind: "step" };
  switch (step.kind) {
    case "tcp":
      return kind.kind === "udp" && kind.port === step.port
        ? { kind: "otherProtocol", came: "UDP", wanted: "TCP" }
        : { kind: "other" };
    case "udp":
      if (kind.kind === "tcp" && kind.port === step.port)
        return { kind: "otherProtocol", came: "TCP", wanted: "UDP" };
      return kind.kind === "udp" && kind.port === step.port
        ? compareSizes(step.payloadBytes, kind.payloadBytes)
        : { kind: "other" };
    case "icmpEcho":
      return kind.kind === "echo" ? compareSizes(step.payloadBytes, kind.payloadBytes) : { kind: "other" };
    default:
      return unreachable(step);
  }
}

function compareSizes(wanted: number | undefined, is: number): Likeness {
  return wanted === undefined ? { kind: "other" } : { kind: "otherSize", moreBytes: is - wanted };
}
