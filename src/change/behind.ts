import { isProtected } from "../policy/gate.js";
import { stepsToSend } from "../policy/knock.js";
import type { Policy } from "../policy/policy.js";
import type { ProtectedPorts } from "../policy/protect.js";
import type { Step } from "../policy/step.js";

/** A gate of another policy on the same host. Only its knock is used. Secret. */
export interface OtherGate extends ProtectedPorts {
  readonly gate: string;
  readonly steps: readonly Step[];
}

/** Lists the gates of a whole policy, which is another one on the host. */
export function listOtherGates({ gates }: Policy): readonly OtherGate[] {
  return gates.map((gate) => ({ gate: gate.name, protect: gate.protect, steps: stepsToSend(gate) }));
}

/**
 * Lists the other policies' gates that protect a TCP port. Each of them has to be opened, whatever else protects the
 * port.
 */
export function listBefore(others: readonly OtherGate[], tcpPort: number): readonly OtherGate[] {
  return others.filter((other) => isProtected(other, "tcp", tcpPort));
}

/** Lists the steps of all knocks that open those gates, one knock after the other. */
export function listStepsBefore(others: readonly OtherGate[], tcpPort: number): readonly Step[] {
  return listBefore(others, tcpPort).flatMap(({ steps }) => steps);
}
