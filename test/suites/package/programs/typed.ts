import * as pulumi from "@pulumi/pulumi";
import { KnockGate, type KnockGateArgs, KnockgateError, randomSequence, type StepArgs } from "knockgate";
import type { Properties } from "knockgate/provider";
import show from "./shared.cjs";

const steps: StepArgs[] = [{ tcp: 7411 }, { udp: 8522 }, { tcp: 6633 }];
const args: KnockGateArgs = {
  connection: { host: "203.0.113.7", privateKey: pulumi.secret("a key"), proxy: { host: "198.51.100.7" } },
  policy: { name: "edge", gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }] },
};

export function declare(): pulumi.Output<string> {
  return new KnockGate("typed", args).ruleset;
}

/** These two must be errors. If the types were not found, they would be `any`, and no errors. */
// @ts-expect-error
export const wrong: StepArgs = { tcp: "7411" };
// @ts-expect-error
export const wrongToo: Properties = "none";
export const code: "LOCKOUT" | string = new KnockgateError("LOCKOUT", "never thrown").code;

void show({ KnockGate, randomSequence }, pulumi, (name: string) => import(name));
