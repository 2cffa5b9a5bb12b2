import * as pulumi from "@pulumi/pulumi";
import { KnockGate } from "knockgate";

const config = new pulumi.Config();

// iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
// iptables -A INPUT -p tcp --dport 1000 -m recent --set --name KNOCKING
// iptables -A INPUT -p tcp --dport 22 -m recent --rcheck --seconds 5 --name KNOCKING -j ACCEPT
// iptables -A INPUT -p tcp --dport 22 -j DROP
//
// The linter rightly warns of it: any scan of all ports finds one port.
const gate = new KnockGate("recipe", {
  connection: {
    host: config.require("host"),
    user: config.get("user") ?? "root",
    hostKey: config.require("hostKey"),
    privateKey: config.requireSecret("privateKey"),
  },
  policy: {
    name: "recipe",
    backend: "iptables",
    stealth: true,
    limits: { firstStepsPerSecond: 0 },
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps: [{ tcp: 1000 }] }, openForSeconds: 5 }],
  },
});

export const { knock, sshConfig } = gate;
