import { unreachable } from "../errors.js";
import type { Step } from "../policy/step.js";

/** Whether a step is a datagram without payload: a shell's tools send what they read, and of nothing no datagram. */
export function isEmptyDatagram(step: Step): boolean {
  switch (step.kind) {
    case "udp":
      return step.payloadBytes === 0;
    case "tcp":
    case "icmpEcho":
      return false;
    default:
      return unreachable(step);
  }
}
