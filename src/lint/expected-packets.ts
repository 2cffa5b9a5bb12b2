import { unreachable } from "../errors.js";
import { tokenPlace } from "../knock/token-payload.js";
import type { PacketKind } from "../model/packet.js";
import type { ExpectedPacket, ExpectedToken, TokenChoice } from "../policy/expected-packet.js";
import { isTokenGate, type TokenGate } from "../policy/knock.js";
import type { Gate, Policy } from "../policy/policy.js";
import type { Step } from "../policy/step.js";
import { slotAt } from "../policy/token.js";

/** The host's name for tokens in a policy's own tests. */
export const tokenHost = "host";

/** The slot in which a policy's own tests begin. Any slot does: a test always begins at the start of one. */
const firstSlot = 10_000_000;

/** When a policy's own tests begin, in milliseconds since 1970. */
export function beginMs({ tokens }: Policy): number {
  return firstSlot * tokens.slotSeconds * 1_000;
}

/** Makes the packets that one test sends to a gate. It remembers which tokens each user has sent. */
export function makeSender(
  policy: Policy,
  gate: Gate,
): (packet: ExpectedPacket, index: number, clockMs: number) => PacketKind {
  const sent = new Map<string, readonly number[]>();
  return (packet, index, clockMs) => {
    // Each packet has its own source port, as a client's packets do.
    const sourcePort = 40_000 + index;
    if (packet.kind === "step") return makeStep(packet.step, sourcePort);
    if (!isTokenGate(gate)) throw new Error("a token for a gate with a sequence"); // the check refuses it before
    const before = sent.get(packet.user) ?? [];
    const slot = chooseSlot(packet.choice, slotAt(clockMs, policy.tokens.slotSeconds), before);
    sent.set(packet.user, [...before, slot]);
    return makeToken(policy, gate, packet, slot, sourcePort);
  };
}

/** Without a choice, a user sends the next token that is not used, as a client does. */
function chooseSlot(choice: TokenChoice, now: number, before: readonly number[]): number {
  switch (choice.kind) {
    case "next":
      return before.includes(now) ? chooseSlot(choice, now + 1, before) : now;
    case "again":
      return before.at(-1) ?? now;
    case "slot":
      return now + choice.ahead;
    default:
      return unreachable(choice);
  }
}

function makeToken(
  { name: policy, users }: Policy,
  { name: gate, knock: { carrier } }: TokenGate,
  { user, use }: ExpectedToken,
  slot: number,
  sourcePort: number,
): PacketKind {
  const key = users.find(({ name }) => name === user)?.key ?? "";
  const token = { policy, gate, host: tokenHost, slot, key };
  const payloadBytes = tokenPlace(carrier).payloadBytes + (use === "close" ? 1 : 0);
  switch (carrier.kind) {
    case "udp":
      return { kind: "udp", port: carrier.port, sourcePort, payloadBytes, token };
    case "icmpEcho":
      return { kind: "echo", payloadBytes, token };
    default:
      return unreachable(carrier);
  }
}

function makeStep(step: Step, sourcePort: number): PacketKind {
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
