import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { KnockGate, type StepArgs } from "knockgate";

const config = new pulumi.Config();
const steps = config.requireSecretObject<StepArgs[]>("steps");

const connection = {
  host: config.require("host"),
  user: config.get("user") ?? "root",
  hostKey: config.require("hostKey"),
  privateKey: config.requireSecret("privateKey"),
};

const gate = new KnockGate("edge", {
  connection,
  policy: {
    name: "edge",
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }],
  },
});

// A remote.Command with the gate's connection and hooks. It is deleted before the gate.
export const kernel = gate.command("kernel", {
  create: "uname -r | tee /tmp/kernel",
  delete: "rm /tmp/kernel",
}).stdout;

// Any other resource that dials the host: the hooks knock right before it does.
new command.remote.CopyToRemote(
  "motd",
  {
    connection,
    source: new pulumi.asset.StringAsset(`${config.get("motd") ?? "Behind a gate."}\n`),
    remotePath: "/tmp/motd",
  },
  { dependsOn: gate, hooks: gate.hooks },
);

export const { knock } = gate;
