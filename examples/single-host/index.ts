import * as pulumi from "@pulumi/pulumi";
import { KnockGate, type StepArgs } from "knockgate";

const config = new pulumi.Config();

const gate = new KnockGate("edge", {
  connection: {
    host: config.require("host"),
    user: config.get("user") ?? "root",
    hostKey: config.require("hostKey"),
    privateKey: config.requireSecret("privateKey"),
  },
  policy: {
    name: "edge",
    gates: [
      {
        name: "ssh",
        protect: [{ tcp: "22" }],
        knock: { steps: config.requireSecretObject<StepArgs[]>("steps"), stepTimeoutSeconds: 5 },
        openForSeconds: 30,
      },
    ],
  },
});

export const ruleset = gate.ruleset;
export const digest = gate.digest;
export const knock = gate.knock;
