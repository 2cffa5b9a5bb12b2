import { isAtDoor } from "../model/machine.js";
import type { Policy } from "../policy/policy.js";
import { readAddress } from "./address.js";
import type { CapturedPacket } from "./captured-packet.js";
import { compareWithStep } from "./near-step.js";

export interface ChosenHost {
  /** Packets to it, and those of which nobody knows where they went. */
  readonly packets: readonly CapturedPacket[];
  /** Its addresses; empty where no packet says where it went. */
  readonly addresses: readonly string[];
}

/**
 * Leaves the packets to the host. Where its addresses are not given, they are those to which the most of the policy's
 * steps and connections went, one of each family.
 */
export function chooseHost(
  policy: Policy,
  packets: readonly CapturedPacket[],
  given: readonly string[] | undefined,
): ChosenHost {
  const addresses = given?.map((text) => readAddress(text) ?? text) ?? guessAddresses(policy, packets);
  const kept = packets.filter(
    ({ destination }) => destination === undefined || addresses.includes(destination),
  );
  return {
    packets: kept,
    addresses: kept.some(({ destination }) => destination !== undefined) ? addresses : [],
  };
}

function guessAddresses(policy: Policy, packets: readonly CapturedPacket[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const packet of packets) {
    if (packet.destination === undefined) continue;
    // A single packet that a gate knows tells more than any number of others.
    const weight = isOfPolicy(policy, packet) ? 1_000_000 : 1;
    counts.set(packet.destination, (counts.get(packet.destination) ?? 0) + weight);
  }
  const ranked = [...counts].sort(([, one], [, other]) => other - one).map(([address]) => address);
  return [
    ranked.find((address) => !address.includes(":")),
    ranked.find((address) => address.includes(":")),
  ].filter((address) => address !== undefined);
}

function isOfPolicy(policy: Policy, { kind }: CapturedPacket): boolean {
  return policy.gates.some(
    (gate) =>
      gate.knock.steps.some((step) => ["step", "otherProtocol"].includes(compareWithStep(step, kind).kind)) ||
      isAtDoor(gate, kind),
  );
}
