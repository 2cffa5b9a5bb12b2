import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { KnockFleet, randomSequence } from "knockgate";
import { stackOf } from "./split";

interface Inventory {
  stacks: string[];
  /** How many of them are rolled out side by side. */
  stacksAtOnce: number;
  /** How many hosts of all stacks together may fail. */
  maxFailures: number;
  user: string;
  hosts: Record<string, { host: string; hostKey: string }>;
}

export const inventory: Inventory = JSON.parse(readFileSync(join(__dirname, "inventory.json"), "utf8"));

// One place for all stacks. Taken out of the environment, so that the engine's processes do not inherit them.
const { KNOCK_SEED, PRIVATE_KEY } = process.env;
delete process.env["KNOCK_SEED"];
delete process.env["PRIVATE_KEY"];

export function hostsOf(stack: string): string[] {
  return Object.keys(inventory.hosts).filter((host) => stackOf(host, inventory.stacks) === stack);
}

/**
 * Declares the hosts of one stack.
 *
 * @param endWave is called when all hosts of a wave were tried. If it throws, no later wave begins.
 */
export function declareFleet(stack: string, endWave?: () => void) {
  if (!inventory.stacks.includes(stack)) throw new Error(`inventory.json has no stack ${stack}`);
  if (!KNOCK_SEED || !PRIVATE_KEY) throw new Error("the environment has no KNOCK_SEED or no PRIVATE_KEY");
  const hosts = hostsOf(stack).map((name) => [name, { connection: inventory.hosts[name] }]);
  // A small inventory may leave a stack without hosts.
  if (hosts.length === 0) return { sshConfig: "", profiles: {} };
  const steps = randomSequence({ seed: KNOCK_SEED, policy: "edge" });
  const { sshConfig, profiles } = new KnockFleet(
    "web",
    {
      hosts: Object.fromEntries(hosts),
      connection: { user: inventory.user, privateKey: pulumi.secret(PRIVATE_KEY) },
      policy: { name: "edge", gates: [{ name: "ssh", protect: [{ tcp: "22" }], knock: { steps } }] },
      rollout: {
        waves: [{ count: 1 }, { percent: 10 }, { percent: 100 }],
        maxFailures: inventory.maxFailures,
        healthCommand: "test ! -e /run/unwell",
      },
    },
    { transforms: endWave === undefined ? [] : [callAfterWaves(endWave)] },
  );
  return { sshConfig, profiles };
}

/** The engine begins the resource web-wave-N after the hosts of this wave, and before those of the next one. */
function callAfterWaves(endWave: () => void): pulumi.ResourceTransform {
  const hook = new pulumi.ResourceHook("end-wave", endWave);
  return ({ name, props, opts }) =>
    name.startsWith("web-wave-")
      ? { props, opts: { ...opts, hooks: { beforeCreate: [hook], beforeUpdate: [hook] } } }
      : undefined;
}
