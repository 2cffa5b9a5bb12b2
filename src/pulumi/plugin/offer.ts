import type * as pulumi from "@pulumi/pulumi";
import type { GateCounts } from "../../policy/counts.js";
import type { KnockFleetArgs } from "../fleet/args.js";
import type { KnockFleet } from "../fleet/knock-fleet.js";
import type { WaveSummary } from "../fleet/wave-summary.js";
import type { KnockGateArgs } from "../gate/args.js";
import type { KnockGate } from "../gate/knock-gate.js";

/**
 * What the plugin offers to programs in other languages. `tools/schema.mjs` makes the schema from these types and
 * their comments; `provider.ts` has an entry for each.
 */
export interface Offer {
  readonly components: {
    readonly KnockGate: { readonly inputs: KnockGateArgs; readonly outputs: KnockGate };
    readonly KnockFleet: { readonly inputs: KnockFleetArgs; readonly outputs: KnockFleet };
  };
  readonly resources: {
    readonly Ruleset: { readonly inputs: OfferedRulesetInputs; readonly outputs: OfferedRulesetOutputs };
    readonly Wave: { readonly inputs: OfferedWaveInputs; readonly outputs: WaveOutputs };
  };
}

/** What `KnockGate` and `KnockFleet` give the resource that they make, and what `check` fills in. */
interface OfferedRulesetInputs extends KnockGateArgs {
  /** The place of the resource in its program: `organization/urn` of the component that it belongs to. */
  origin: pulumi.Input<string>;
  /** A command that must succeed on the host before a change is confirmed. Default: none. */
  health?: pulumi.Input<Health>;
  /** Whether a failed change is reported only in the outputs. Default: false. */
  recordFailure?: pulumi.Input<boolean>;
  /** Whether the state keeps what the host had before, so that it can be put back. Default: false. */
  keepFormer?: pulumi.Input<boolean>;
  /** The ruleset, each step's port replaced by a label; after a refresh, what the host has. Filled in by the plugin. */
  ruleset?: pulumi.Input<string>;
  /** What the last refresh found changed on the host, in lines without a secret. Filled in by the plugin. */
  drift?: pulumi.Input<pulumi.Input<string>[]>;
  /** How the host is reached, without secrets: a label stands for each one. Filled in by the plugin. */
  reachedBy?: pulumi.Input<Record<string, unknown>>;
  /** All secrets in one text. Filled in by the plugin. */
  sealed?: pulumi.Input<string>;
}

/** A command whose exit code says whether a host is well. */
interface Health {
  /** For POSIX sh, run as root. */
  command: pulumi.Input<string>;
  /** How long it may take. */
  timeoutSeconds: pulumi.Input<number>;
}

/** One change of one host is one transaction, so it is this one resource. `KnockGate` and `KnockFleet` make it. */
interface OfferedRulesetOutputs {
  /** What the last refresh found changed on the host, in lines without a secret. */
  drift: pulumi.Output<readonly string[]>;
  /** What the host has counted for each gate by its name; only after a refresh. */
  counters?: pulumi.Output<Readonly<Record<string, GateCounts>>>;
  /** Why the last change failed. Empty if it did not fail. Only where failures are recorded. */
  failure?: pulumi.Output<string>;
  /** When the host was last changed, or such a change last failed. Only where failures are recorded. */
  lastChange?: pulumi.Output<LastChange>;
  /** How the host is reached, without secrets: a label stands for each one. */
  reachedBy: pulumi.Output<Record<string, unknown>>;
  /** How long the host waits for the confirmation of a change before it undoes it. */
  undoAfterSeconds: pulumi.Input<number>;
  /** All else that the resource knows of its host, with all secrets, in one text. */
  sealed: pulumi.Output<string>;
}

/** When a host was last changed, or such a change last failed. */
interface LastChange {
  /** ISO 8601, in UTC. */
  at: string;
  /** How long it took, to a tenth of a second. */
  seconds: number;
}

/** What `KnockFleet` gives the resource that it makes for each wave. */
interface OfferedWaveInputs {
  /** The fleet's name. */
  fleet: pulumi.Input<string>;
  /** Which wave it is, from 1. */
  wave: pulumi.Input<number>;
  /** How many waves there are. */
  of: pulumi.Input<number>;
  /** How many hosts of the wave may fail. */
  maxFailures: pulumi.Input<number>;
  /** How long to wait after the wave, if one of its hosts was changed. */
  pauseSeconds: pulumi.Input<number>;
  /** What is done with the other hosts when too many have failed: `halt` or `undo`. */
  onFailure: pulumi.Input<string>;
  /** What each host's `Ruleset` says of its last change. */
  hosts: pulumi.Input<pulumi.Input<WaveHost>[]>;
  /** What is needed to put hosts back, by the host's name. */
  rulesets?: pulumi.Input<Record<string, unknown>>;
}

/** What a host's `Ruleset` says of its last change. */
interface WaveHost {
  /** The host's name in its fleet. */
  name: string;
  /** When it was last changed, or such a change last failed. */
  lastChange: LastChange;
  /** Why that change failed. Empty if it did not fail. */
  failure: string;
}

/** The barrier between one wave and the next. It fails if too many hosts of the wave failed. `KnockFleet` makes it. */
interface WaveOutputs {
  /** The fleet's name. */
  fleet: pulumi.Output<string>;
  /** A digest of the inputs. */
  given: pulumi.Output<string>;
  /** What happened in the wave. */
  summary: pulumi.Output<WaveSummary>;
}
