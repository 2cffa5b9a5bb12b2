import { explainReaction } from "../model/explain.js";
import { isOpen, receivePacket } from "../model/machine.js";
import { initialState, type State } from "../model/state.js";
import { fillTokens } from "../model/token.js";
import type { Finding } from "../policy/finding.js";
import { isAllowed, isDenied } from "../policy/gate.js";
import type { Expectation, Gate, Policy } from "../policy/policy.js";
import { beginMs, makeSender, tokenHost } from "./expected-packets.js";

/** Runs a policy's own tests on the model. A test that fails is a finding, with a trace of its packets. */
export function checkExpectations(policy: Policy): readonly Finding[] {
  return policy.expect.flatMap((expectation, index) => {
    const path = `expect[${index}]`;
    const gate = policy.gates.find(({ name }) => name === expectation.gate);
    if (gate === undefined) return [unknownGate(expectation, path)];
    const wrong = findWrongTokens(policy, gate, expectation, path);
    return wrong.length > 0 ? wrong : checkExpectation(policy, gate, expectation, path);
  });
}

function unknownGate({ gate }: Expectation, path: string): Finding {
  const message = `names gate "${gate}", which the policy does not have.`;
  return { path: `${path}.gate`, rule: "expectation-gate", message, fix: "Name one of the policy's gates." };
}

/** A token of a user without the right to the gate may be sent: the test may be that it does not open. */
function findWrongTokens(
  { users }: Policy,
  gate: Gate,
  { packets }: Expectation,
  path: string,
): readonly Finding[] {
  return packets.flatMap((packet, index): readonly Finding[] => {
    if (packet.kind !== "token") return [];
    const find = (field: string, rule: string, message: string, fix: string) => [
      { path: `${path}.packets[${index}].${field}`, rule, message, fix },
    ];
    if (gate.knock.kind !== "token") {
      const message = `is sent to gate "${gate.name}", which no token opens.`;
      return find(
        "token",
        "expectation-token",
        message,
        "Name a gate whose knock is a token, or send steps.",
      );
    }
    if (!users.some(({ name }) => name === packet.user)) {
      const message = `names user "${packet.user}", whom the policy does not have.`;
      return find("token", "expectation-user", message, "Name one of the policy's users.");
    }
    const isFirst = !packets.slice(0, index).some((one) => one.kind === "token" && one.user === packet.user);
    if (packet.choice.kind === "again" && isFirst) {
      const message = `is set, and no token of user "${packet.user}" comes before.`;
      return find("again", "expectation-again", message, "Send the token once before, or leave out again.");
    }
    return [];
  });
}

function checkExpectation(
  policy: Policy,
  gate: Gate,
  { name, from, packets, afterSeconds, isOpen: isWanted }: Expectation,
  path: string,
): readonly Finding[] {
  const trace: string[] = [];
  const toKind = makeSender(policy, gate);
  let state: State = initialState;
  let atMs = 0;
  for (const [index, packet] of packets.entries()) {
    atMs += Math.round(packet.afterSeconds * 1_000);
    const clockMs = beginMs(policy) + atMs;
    // The host fills from time to time. A policy's own test need not know when.
    state = { ...state, tokens: fillTokens(policy, tokenHost, clockMs, state.tokens) };
    const kind = toKind(packet, index, clockMs);
    const outcome = receivePacket(policy, state, { atMs: clockMs, source: from, kind });
    state = outcome.state;
    const said = outcome.reactions.map((reaction) => explainReaction(policy, reaction)).join("; ");
    trace.push(`packet ${index + 1} at ${atMs / 1_000} s: ${said || "it matches no gate"}`);
  }
  const atEndMs = atMs + Math.round(afterSeconds * 1_000);
  const isPassed = isAllowed(policy, from) || isOpen(state, from, gate.name, beginMs(policy) + atEndMs);
  const isThrough = !isDenied(policy, from) && isPassed;
  if (isThrough === isWanted) return [];
  const [wanted, is] = isThrough ? ["closed", "open"] : ["open", "closed"];
  const message =
    `"${name}" expects gate "${gate.name}" ${wanted} at ${atEndMs / 1_000} s, and it is ${is}. ` +
    `${trace.join(". ") || "No packet was sent"}.`;
  return [
    { path, rule: "expectation-failed", message, fix: "Correct the policy, or what is expected of it." },
  ];
}
