import { isAtDoor } from "../model/machine.js";
import { canCarryToken } from "../model/token.js";
import { isTokenGate, stepsOf } from "../policy/knock.js";
import type { Policy } from "../policy/policy.js";
import { readAddress } from "./capture/address.js";
import type { CapturedPacket } from "./capture/captured-packet.js";
import { compareWithStep } from "./near-step.js";

export interface ChosenHost {
  /** Packets to the host, and packets whose destination is not known. */
  readonly packets: readonly CapturedPacket[];
  /** The host's addresses. Empty when no packet has a destination. */
  readonly addresses: readonly string[];
}

/**
 * Keeps the packets to the host. If its addresses are not given, they are the destinations of most of the policy's
 * steps and connections, one per family.
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
    // One packet that fits a gate counts more than any number of other packets.
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
      stepsOf(gate).some((step) => ["step", "otherProtocol"].includes(compareWithStep(step, kind).kind)) ||
      (isTokenGate(gate) && canCarryToken(gate, kind)) ||
      isAtDoor(gate, kind),
  );
}
