import * as pulumi from "@pulumi/pulumi";
import { KnockGate, userKey } from "knockgate";

const config = new pulumi.Config();
const key = config
  .requireSecret("knockSeed")
  .apply((seed) => userKey({ seed, policy: "vpn", user: "laptop" }));

// WireGuard's port answers nobody before a token. An established tunnel goes on, because its packets are of a flow that
// conntrack knows. After two minutes of silence (nf_conntrack_udp_timeout_stream) the next handshake needs a token.
const gate = new KnockGate("vpn", {
  connection: {
    host: config.require("host"),
    user: config.get("user") ?? "root",
    hostKey: config.require("hostKey"),
    privateKey: config.requireSecret("privateKey"),
  },
  policy: {
    name: "vpn",
    users: [{ name: "laptop", key }],
    gates: [{ name: "wg", protect: [{ udp: "51820" }], knock: { token: { udp: 443 } }, openForSeconds: 60 }],
  },
});

export const { profile, counters } = gate;
