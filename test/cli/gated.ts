import { writeKnockCommands } from "../../src/client/knock-commands";
import { makeProfile, type Profile } from "../../src/client/profile";
import { writeSshConfig } from "../../src/client/ssh-config";
import type { Way } from "../../src/client/way";
import { readStep, type StepInput } from "../../src/policy/step";
import { readPolicy } from "../policy/read-policy";

/** These numbers appear nowhere else: text with one of them shows a knock. */
export const secretSteps: readonly StepInput[] = [
  { tcp: 47_411 },
  { udp: 58_522, udpPayloadBytes: 833 },
  { icmpPayloadBytes: 977 },
];
export const secrets = /47411|58522|\b833\b|\b977\b/;

/** What a gate's outputs `knock`, `sshConfig` and `profile` hold for a host. */
function makeAll(name: string, way: Way, port: string) {
  const policy = readPolicy({
    name: "edge",
    gates: [{ name: "ssh", protect: [{ tcp: port }], knock: { steps: [...secretSteps] } }],
  });
  const profile = makeProfile(name, way, policy);
  const knock = profile.gates.map((gate) => ({
    ...gate,
    commands: writeKnockCommands(gate.steps.map(readStep), way),
  }));
  return { knock, sshConfig: writeSshConfig(name, way, policy), profile };
}

/** The outputs of programs from before there was `profile`. */
export function makeOutputs(name: string, way: Way, port = "22") {
  const { knock, sshConfig } = makeAll(name, way, port);
  return { knock, sshConfig };
}

export function makeGateProfile(name: string, way: Way, port = "22"): Profile {
  return makeAll(name, way, port).profile;
}
