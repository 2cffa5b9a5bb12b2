import * as pulumi from "@pulumi/pulumi";
import { KnockGate, type StepArgs } from "knockgate";

const config = new pulumi.Config();
const steps = config.requireSecretObject<StepArgs[]>("steps");
const publishedPort = config.getNumber("publishedPort") ?? 8080;

const gate = new KnockGate("containers", {
  connection: {
    host: config.require("host"),
    user: config.get("user") ?? "root",
    hostKey: config.require("hostKey"),
    privateKey: config.requireSecret("privateKey"),
  },
  policy: {
    name: "containers",
    // Before the container engine's destination NAT: after it a packet goes on to the container and never meets
    // `input`.
    scope: "prerouting",
    gates: [{ name: "web", protect: [{ tcp: `${publishedPort}` }], knock: { steps } }],
  },
});

export const { knock } = gate;
