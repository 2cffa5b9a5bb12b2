import * as pulumi from "@pulumi/pulumi";
import {
  explainCounters,
  type GatedHost,
  type GuardedCommand,
  KnockFleet,
  KnockGate,
  KnockgateError,
  type Policy,
  type PolicyInput,
  parsePolicy,
  type StepArgs,
} from "knockgate";

const config = new pulumi.Config();
const steps = config.requireSecretObject<StepArgs[]>("steps");

const gate = new KnockGate("edge", {
  connection: { host: config.require("host"), user: "ops", privateKey: config.requireSecret("privateKey") },
  policy: {
    name: "edge",
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps }, openForSeconds: 30 }],
  },
});

const fleet = new KnockFleet("web", {
  hosts: { canary: { connection: { host: "203.0.113.7" } } },
  connection: { user: "ops", proxy: { host: "198.51.100.7" } },
  policy: { name: "edge", gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }] },
});

export const { ruleset, digest, knock, sshConfig, profile, counters } = gate;
export const uptime: pulumi.Output<string> = (
  gate.command("uptime", { create: "uptime" }) satisfies GuardedCommand
).stdout;
export const canary: GatedHost | undefined = fleet.hosts["canary"];

const input: PolicyInput = { name: "edge", gates: [] };
const reading = parsePolicy(input);
export const policy: Policy | undefined = reading.kind === "policy" ? reading.policy : undefined;
export const lines = policy === undefined ? [] : explainCounters(policy, new Map(), new Map());
export const error: Error = new KnockgateError("LOCKOUT", "never thrown", { cause: new Error("why") });
