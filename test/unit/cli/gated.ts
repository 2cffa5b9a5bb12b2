import { makeProfile, type Profile } from "../../../src/knock/clients/profile";
import type { SshEndpoint } from "../../../src/knock/clients/ssh-endpoint";
import type { StepInput } from "../../../src/policy/step";
import { readPolicy } from "../policy/read-policy";

/** These numbers appear nowhere else: text with one of them shows a knock. */
export const secretSteps: readonly StepInput[] = [
  { tcp: 47_411 },
  { udp: 58_522, udpPayloadBytes: 833 },
  { icmpPayloadBytes: 977 },
];
export const secrets = /47411|58522|\b833\b|\b977\b/;

/** A stack's outputs with a gate's profile among them. */
export function makeOutputs(name: string, way: SshEndpoint, port = "22") {
  return { motd: "hello", profile: makeGateProfile(name, way, port) };
}

export function makeGateProfile(name: string, way: SshEndpoint, port = "22"): Profile {
  const policy = readPolicy({
    name: "edge",
    gates: [{ name: "ssh", protect: [{ tcp: port }], knock: { steps: [...secretSteps] } }],
  });
  return makeProfile(name, way, policy);
}
