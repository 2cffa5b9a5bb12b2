import { unreachable } from "../errors.js";
import { explainReaction } from "../model/explain.js";
import { isOpen, receivePacket } from "../model/machine.js";
import type { PacketKind } from "../model/packet.js";
import { initialState, type State } from "../model/state.js";
import type { Finding } from "../policy/finding.js";
import { isAllowed, isDenied } from "../policy/gate.js";
import type { Expectation, Policy } from "../policy/policy.js";
import type { Step } from "../policy/step.js";

/** Runs a policy's own tests on the model. A test that fails is a finding, with a trace of its packets. */
export function checkExpectations(policy: Policy): readonly Finding[] {
  return policy.expect.flatMap((expectation, index) =>
    checkExpectation(policy, expectation, `expect[${index}]`),
  );
}

function checkExpectation(policy: Policy, expectation: Expectation, path: string): readonly Finding[] {
  const { name, from, packets, gate, afterSeconds } = expectation;
  if (!policy.gates.some((candidate) => candidate.name === gate)) {
    const message = `names gate "${gate}", which the policy does not have.`;
    return [
      { path: `${path}.gate`, rule: "expectation-gate", message, fix: "Name one of the policy's gates." },
    ];
  }
  const trace: string[] = [];
  let state: State = initialState;
  let atMs = 0;
  for (const [index, packet] of packets.entries()) {
    atMs += Math.round(packet.afterSeconds * 1_000);
    const outcome = receivePacket(policy, state, { atMs, source: from, kind: toKind(packet.step, index) });
    state = outcome.state;
    const said = outcome.reactions.map((reaction) => explainReaction(policy, reaction)).join("; ");
    trace.push(`packet ${index + 1} at ${atMs / 1_000} s: ${said || "it matches no gate"}`);
  }
  const atEndMs = atMs + Math.round(afterSeconds * 1_000);
  const isThrough =
    !isDenied(policy, from) && (isAllowed(policy, from) || isOpen(state, from, gate, atEndMs));
  if (isThrough === expectation.isOpen) return [];
  const [wanted, is] = isThrough ? ["closed", "open"] : ["open", "closed"];
  const message =
    `"${name}" expects gate "${gate}" ${wanted} at ${atEndMs / 1_000} s, and it is ${is}. ` +
    `${trace.join(". ") || "No packet was sent"}.`;
  return [
    { path, rule: "expectation-failed", message, fix: "Correct the policy, or what is expected of it." },
  ];
}

/** Each packet has its own source port, as a client's packets do. */
function toKind(step: Step, index: number): PacketKind {
  const sourcePort = 40_000 + index;
  switch (step.kind) {
    case "tcp":
      return { kind: "tcp", port: step.port, sourcePort };
    case "udp":
      return { kind: "udp", port: step.port, sourcePort, payloadBytes: step.payloadBytes ?? 0 };
    case "icmpEcho":
      return { kind: "echo", payloadBytes: step.payloadBytes };
    default:
      return unreachable(step);
  }
}
