import * as pulumi from "@pulumi/pulumi";
import { KnockFleet, randomSequence } from "knockgate";

const config = new pulumi.Config();
const hosts = config.requireObject<Record<string, { host: string; hostKey: string }>>("hosts");
const generation = config.getNumber("generation") ?? 1;

const fleet = new KnockFleet("web", {
  hosts: Object.fromEntries(Object.entries(hosts).map(([name, connection]) => [name, { connection }])),
  connection: { user: config.get("user") ?? "root", privateKey: config.requireSecret("privateKey") },
  policy: {
    name: "edge",
    gates: [
      {
        name: "ssh",
        protect: [{ tcp: "22" }],
        knock: {
          steps: config
            .requireSecret("knockSeed")
            .apply((seed) => randomSequence({ seed, policy: "edge", generation })),
        },
      },
    ],
  },
  rollout: {
    waves: [{ hosts: ["canary"] }, { percent: 10 }, { percent: 100 }],
    pauseBetweenSeconds: 5,
    healthCommand: "test ! -e /run/unwell",
  },
});

export const { summary, sshConfig, profiles } = fleet;
