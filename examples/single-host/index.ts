import * as pulumi from "@pulumi/pulumi";
import { KnockGate, userKey } from "knockgate";

const config = new pulumi.Config();
const seed = config.requireSecret("knockSeed");
const keyOf = (user: string) => seed.apply((seed) => userKey({ seed, policy: "edge", user }));

const gate = new KnockGate("edge", {
  connection: {
    host: config.require("host"),
    user: config.get("user") ?? "root",
    hostKey: config.require("hostKey"),
    privateKey: config.requireSecret("privateKey"),
  },
  policy: {
    name: "edge",
    users: [
      { name: "ada", key: keyOf("ada") },
      { name: "ben", key: keyOf("ben") },
    ],
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62201 } }, openForSeconds: 30 }],
  },
});

export const { digest, knock, sshConfig, profile, counters } = gate;
