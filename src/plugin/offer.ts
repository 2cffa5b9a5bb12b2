import type * as pulumi from "@pulumi/pulumi";
import type { KnockGateArgs } from "../pulumi/args.js";
import type { KnockGate } from "../pulumi/knock-gate.js";

/**
 * What the plugin offers to programs in other languages. `scripts/schema.mjs` makes the schema from these types and
 * their comments; `provider.ts` has an entry for each.
 */
export interface Offer {
  readonly components: {
    readonly KnockGate: { readonly inputs: KnockGateArgs; readonly outputs: KnockGate };
  };
  readonly resources: {
    readonly Ruleset: { readonly inputs: RulesetInputs; readonly outputs: RulesetOutputs };
  };
}

/** What `KnockGate` gives the resource that it makes, and what `check` fills in. */
interface RulesetInputs extends KnockGateArgs {
  /** Where in which program the resource stands: `organization/urn` of what it belongs to. */
  origin: pulumi.Input<string>;
  /** Keys the labels that steps have in `ruleset`. Chosen by the plugin. */
  redactionKey?: pulumi.Input<string>;
}

/** One change of one host is one transaction, so it is this one resource. It is made by `KnockGate`. */
interface RulesetOutputs extends RulesetInputs {
  /** The ruleset that the host confirmed, each step's port replaced by a label; after a refresh what the host has. */
  ruleset: pulumi.Output<string>;
  /** SHA-256 of the ruleset that the host confirmed; empty where the last refresh found another one. */
  digest: pulumi.Output<string>;
  /** What the last refresh found changed on the host, in lines without a secret. */
  drift: pulumi.Output<readonly string[]>;
}
