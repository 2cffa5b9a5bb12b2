import { isProtected } from "../policy/gate.js";
import type { Policy } from "../policy/policy.js";
import type { ProtectedPorts } from "../policy/protect.js";
import type { Step } from "../policy/step.js";

/** A gate that another policy keeps on the same host: for its knock, and for nothing else. Secret. */
export interface OtherGate extends ProtectedPorts {
  readonly gate: string;
  readonly steps: readonly Step[];
}

/** Takes a whole policy for another one on the host. */
export function listOtherGates({ gates }: Policy): readonly OtherGate[] {
  return gates.map(({ name, protect, knock }) => ({ gate: name, protect, steps: knock.steps }));
}

/** Those of other policies' gates that a TCP port is behind: each of them has to be opened, whatever else gates it. */
export function listBefore(others: readonly OtherGate[], tcpPort: number): readonly OtherGate[] {
  return others.filter((other) => isProtected(other, "tcp", tcpPort));
}

/** The knocks that open them, one after the other. */
export function listStepsBefore(others: readonly OtherGate[], tcpPort: number): readonly Step[] {
  return listBefore(others, tcpPort).flatMap(({ steps }) => steps);
}
