import { writeKnockCommands } from "../../src/client/knock-commands";
import { writeSshConfig } from "../../src/client/ssh-config";
import type { Way } from "../../src/client/way";
import type { Step } from "../../src/policy/schema";
import { readPolicy } from "../policy/read-policy";

/** Numbers that stand nowhere else: where one is seen, a knock is. */
export const secretSteps: readonly Step[] = [
  { tcp: 47_411 },
  { udp: 58_522, udpPayloadBytes: 833 },
  { icmpPayloadBytes: 977 },
];
export const secrets = /47411|58522|833|977/;

/** What a gate's outputs `knock` and `sshConfig` hold of a host. */
export function makeOutputs(name: string, way: Way, port = "22") {
  const policy = readPolicy({
    name: "edge",
    gates: [{ name: "ssh", protect: [{ tcp: port }], knock: { steps: [...secretSteps] } }],
  });
  const knock = policy.gates.map((gate) => ({
    gate: gate.name,
    protect: gate.protect,
    steps: gate.knock.steps,
    stepTimeoutSeconds: gate.knock.stepTimeoutSeconds,
    openForSeconds: gate.openForSeconds,
    commands: writeKnockCommands(gate.knock.steps, way),
  }));
  return { knock, sshConfig: writeSshConfig(name, way, policy) };
}
