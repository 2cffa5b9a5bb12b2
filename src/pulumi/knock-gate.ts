import * as pulumi from "@pulumi/pulumi";
import type { Policy } from "../policy/schema.js";
import type { KnockGateArgs } from "./args.js";
import { Ruleset } from "./ruleset.js";

/** What a client needs to know to open a gate. */
export interface GateKnock {
  readonly gate: string;
  readonly protect: Policy["gates"][number]["protect"];
  readonly steps: Policy["gates"][number]["knock"]["steps"];
  readonly stepTimeoutSeconds: number;
  readonly openForSeconds: number;
}

/**
 * Puts a host's ports behind port knocking, and proves it.
 *
 * Each change is one transaction on the host: connect (through the gate, if it is closed), stage, arm, load, prove
 * from outside, confirm. Whatever fails, the host has or gets back what it had, by its own timer if need be.
 *
 * An invalid policy fails in preview with all its findings. A failed change's message ends with a stable code.
 *
 * @example
 * new KnockGate("edge", {
 *   connection: { host: "203.0.113.7", user: "ops", privateKey, hostKey },
 *   policy: {
 *     name: "edge",
 *     gates: [{
 *       name: "ssh",
 *       protect: [{ tcp: "22" }],
 *       knock: { steps: config.requireSecretObject("steps") },
 *     }],
 *   },
 * });
 */
export class KnockGate extends pulumi.ComponentResource {
  /** The ruleset that the host confirmed, each step's port replaced by a label. */
  readonly ruleset: pulumi.Output<string>;
  /** SHA-256 of the ruleset that the host confirmed. Secret: a short port list can be guessed from its hash. */
  readonly digest: pulumi.Output<string>;
  /** The knock of each gate. Secret. */
  readonly knock: pulumi.Output<readonly GateKnock[]>;

  constructor(name: string, args: KnockGateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("knockgate:index:KnockGate", name, {}, opts);
    const { connection, policy, proveFrom, undoAfterSeconds, adopt, deleteUnreachable } = args;
    const origin = pulumi.interpolate`${nameOrganization()}/${this.urn}`;
    const ruleset = new Ruleset(
      name,
      { connection, policy, proveFrom, undoAfterSeconds, adopt, deleteUnreachable, origin },
      { parent: this },
    );
    this.ruleset = ruleset.ruleset;
    this.digest = pulumi.secret(ruleset.digest);
    this.knock = pulumi.secret(ruleset.policy.apply((policy) => listKnocks(policy as Policy)));
    this.registerOutputs({ ruleset: this.ruleset, digest: this.digest, knock: this.knock });
  }
}

/** Two organizations may have a stack of the same name. A program under Pulumi's mocks may have none, which throws. */
function nameOrganization(): string {
  try {
    return pulumi.getOrganization();
  } catch {
    return "";
  }
}

function listKnocks(policy: Policy): readonly GateKnock[] {
  return policy.gates.map((gate) => ({
    gate: gate.name,
    protect: gate.protect,
    steps: gate.knock.steps,
    stepTimeoutSeconds: gate.knock.stepTimeoutSeconds,
    openForSeconds: gate.openForSeconds,
  }));
}
