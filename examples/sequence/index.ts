import * as pulumi from "@pulumi/pulumi";
import { KnockGate, type StepArgs } from "knockgate";

const config = new pulumi.Config();
const steps = config.requireSecretObject<StepArgs[]>("steps");

const gate = new KnockGate("edge", {
  connection: {
    host: config.require("host"),
    user: config.get("user") ?? "root",
    hostKey: config.require("hostKey"),
    privateKey: config.requireSecret("privateKey"),
  },
  policy: {
    name: "edge",
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps }, openForSeconds: 30 }],
  },
});

export const { digest, knock, sshConfig, profile, counters } = gate;
