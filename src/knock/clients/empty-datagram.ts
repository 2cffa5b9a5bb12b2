import { unreachable } from "../../errors.js";
import type { Step } from "../../policy/step.js";

/**
 * Whether a step is a datagram without payload. A shell's tools can't send it: they send what they read, and if they
 * read nothing, they send no datagram.
 */
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
