import { type ExpectedPacketInput, writeExpectedPacket } from "./expected-packet.js";
import { type KnockInput, readKnock, writeKnock } from "./knock.js";
import type { Gate, Policy } from "./policy.js";

/** A policy with its defaults filled in, in the shape of a state: its knocks are as users write them. */
export interface WrittenPolicy extends Omit<Policy, "gates" | "expect"> {
  readonly gates: readonly WrittenGate[];
  readonly expect: readonly WrittenExpectation[];
}

interface WrittenGate extends Omit<Gate, "knock"> {
  readonly knock: KnockInput;
}

interface WrittenExpectation extends Omit<Policy["expect"][number], "packets"> {
  readonly packets: readonly ExpectedPacketInput[];
}

/** Writes a policy. `parsePolicy` reads the same policy from it again. */
export function writePolicy(policy: Policy): WrittenPolicy {
  return {
    ...policy,
    gates: policy.gates.map((gate) => ({ ...gate, knock: writeKnock(gate.knock) })),
    expect: policy.expect.map((expectation) => ({
      ...expectation,
      packets: expectation.packets.map(writeExpectedPacket),
    })),
  };
}

/**
 * Reads the gates of a policy that was already checked. Needs no schema, so programs that declare gates do not load
 * zod.
 */
export function readGates({ expect: _, ...policy }: WrittenPolicy): Omit<Policy, "expect"> {
  return { ...policy, gates: policy.gates.map((gate) => ({ ...gate, knock: readKnock(gate.knock) })) };
}
