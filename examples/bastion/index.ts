import * as pulumi from "@pulumi/pulumi";
import { KnockGate, type StepArgs } from "knockgate";

const config = new pulumi.Config();
const steps = config.requireSecretObject<StepArgs[]>("steps");
const privateKey = config.requireSecret("privateKey");

const gate = new KnockGate("inner", {
  connection: {
    host: config.require("host"),
    user: config.get("user") ?? "root",
    hostKey: config.require("hostKey"),
    privateKey,
    // The knock leaves from the bastion, too: a door opens for the address that a packet comes from.
    proxy: {
      host: config.require("bastion"),
      user: config.get("bastionUser") ?? "root",
      hostKey: config.require("bastionHostKey"),
      privateKey,
    },
  },
  policy: {
    name: "inner",
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }],
  },
});

export const { knock, sshConfig, profile } = gate;
