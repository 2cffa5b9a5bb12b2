import * as pulumi from "@pulumi/pulumi";
import { KnockGate, userKey } from "knockgate";

const config = new pulumi.Config();
const seed = config.requireSecret("knockSeed");

// Who may open the gate. Take a line away, and `pulumi up` takes that person's tokens away, and nobody else's.
// Count a number up, and that person gets a new key.
const people: Record<string, number> = config.getObject("people") ?? { deployer: 1, ada: 1, ben: 1 };

const keyOf = (user: string, generation: number) =>
  seed.apply((seed) => userKey({ seed, policy: "edge", user, generation }));

const gate = new KnockGate("edge", {
  connection: {
    host: config.require("host"),
    user: config.get("user") ?? "root",
    hostKey: config.require("hostKey"),
    privateKey: config.requireSecret("privateKey"),
  },
  policy: {
    name: "edge",
    users: Object.entries(people).map(([name, generation]) => ({ name, key: keyOf(name, generation) })),
    deployAs: "deployer",
    gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { token: { udp: 62201 } } }],
    log: { events: ["opened"] },
  },
});

export const { sshConfig, counters } = gate;
// What each person keeps by `knockgate profile add`. It holds the key of that person only.
export const profiles = pulumi.secret(
  Object.fromEntries(Object.keys(people).map((name) => [name, gate.profileOf(name)])),
);
