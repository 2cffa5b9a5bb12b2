import * as pulumi from "@pulumi/pulumi";
import { KnockGate, randomSequence } from "knockgate";

const config = new pulumi.Config();

// The same seed always gives the same sequence. To rotate it, count `generation` up.
const steps = config
  .requireSecret("knockSeed")
  .apply((seed) =>
    randomSequence({ seed, policy: "edge", generation: 1, steps: 6, kinds: ["tcp", "udp", "icmp"] }),
  );

const gate = new KnockGate("edge", {
  connection: {
    host: config.require("host"),
    user: config.get("user") ?? "root",
    hostKey: config.require("hostKey"),
    privateKey: config.requireSecret("privateKey"),
  },
  policy: {
    name: "edge",
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }],
  },
});

export const { knock, sshConfig, counters } = gate;
