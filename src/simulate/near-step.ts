import { isStepPacket } from "../model/machine.js";
import type { PacketKind } from "../model/packet.js";
import type { Step } from "../policy/policy.js";

/** How a packet compares with a step. */
export type Likeness =
  | { readonly kind: "step" }
  /** The right port, over TCP instead of UDP or the other way round. */
  | { readonly kind: "otherProtocol" }
  /** All but the size of the payload. */
  | { readonly kind: "otherSize"; readonly moreBytes: number }
  | { readonly kind: "other" };

export function compareWithStep(step: Step, kind: PacketKind): Likeness {
  if (isStepPacket(step, kind)) return { kind: "step" };
  switch (kind.kind) {
    case "tcp":
      return { kind: step.udp === kind.port ? "otherProtocol" : "other" };
    case "udp":
      if (step.tcp === kind.port) return { kind: "otherProtocol" };
      return step.udp === kind.port
        ? compareSizes(step.udpPayloadBytes, kind.payloadBytes)
        : { kind: "other" };
    case "echo":
      return compareSizes(step.icmpPayloadBytes, kind.payloadBytes);
    case "established":
      return { kind: "other" };
  }
}

function compareSizes(wanted: number | undefined, is: number): Likeness {
  return wanted === undefined ? { kind: "other" } : { kind: "otherSize", moreBytes: is - wanted };
}
