import { expect } from "vitest";
import { parsePackets } from "../../../src/diagnose/capture/packet-text";
import { type Simulation, type SimulationOptions, simulatePackets } from "../../../src/diagnose/simulate";
import type { PolicyInput } from "../../../src/policy/policy";
import { readPolicy } from "../policy/read-policy";

export type Knock = PolicyInput["gates"][number]["knock"];

/** The steps' values. No text may contain one. */
export const secrets = /47001|58002|36004|39003|\b733\b|\b844\b|\b9 bytes/;

export const ssh: Knock = {
  steps: [{ tcp: 47_001 }, { udp: 58_002, udpPayloadBytes: 9 }, { icmpPayloadBytes: 844 }],
};
export const plain: Knock & { readonly steps: NonNullable<Knock["steps"]> } = {
  steps: [{ tcp: 47_001 }, { udp: 58_002 }, { tcp: 36_004 }],
};
export const knocked = ["0 198.51.100.7 tcp 47001", "+0.5 udp 58002 9 bytes", "+0.5 icmp 844 bytes"];
export const [one, two, three] = ["0 198.51.100.7 tcp 47001 from 5001", "+0.2 udp 58002", "+0.2 tcp 36004"];

/** Plays lines of packets to one gate before TCP port 22. */
export function play(
  lines: readonly string[],
  knock: Knock = plain,
  more: Partial<PolicyInput> = {},
  options: SimulationOptions = {},
): Simulation {
  const { packets, findings } = parsePackets(lines.join("\n"));
  expect(findings).toEqual([]);
  const gates = [{ name: "ssh", protect: [{ tcp: "22" }], knock }];
  return simulatePackets(readPolicy({ name: "edge", gates, ...more }), packets, options);
}
