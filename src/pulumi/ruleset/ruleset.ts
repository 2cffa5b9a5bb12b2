import * as pulumi from "@pulumi/pulumi";
import type { HealthCheck } from "../../change/health.js";
import type { GateCounts } from "../../policy/counts.js";
import type { WrittenPolicy } from "../../policy/written-policy.js";
import { registerResource } from "../registration.js";
import { listSecrets, rulesetSecrecy } from "../secrecy.js";
import { keepSecret } from "../secret-input.js";
import type { LastChange } from "./last-change.js";
import type * as operations from "./operations.js";
import type { StoredState } from "./state.js";

type ProviderOperations = typeof operations;

/**
 * The engine stores this provider's source text in the state and runs it from there. So it closes over nothing: each
 * method imports the package that is installed at that time, by the name that the user's project knows.
 */
const provider: pulumi.dynamic.ResourceProvider = {
  async check(olds, news) {
    const { check }: ProviderOperations = await import("knockgate/provider" as string);
    return check(olds, news) as Promise<pulumi.dynamic.CheckResult>;
  },
  async diff(id, olds, news) {
    const { diff }: ProviderOperations = await import("knockgate/provider" as string);
    return diff(id, olds, news) as Promise<pulumi.dynamic.DiffResult>;
  },
  async create(inputs) {
    const { create }: ProviderOperations = await import("knockgate/provider" as string);
    return create(inputs);
  },
  async read(id, props) {
    const { read }: ProviderOperations = await import("knockgate/provider" as string);
    return read(id, props ?? {});
  },
  async update(id, olds, news) {
    const { update }: ProviderOperations = await import("knockgate/provider" as string);
    return update(id, olds, news);
  },
  async delete(id, props) {
    const { delete: remove }: ProviderOperations = await import("knockgate/provider" as string);
    return remove(id, props);
  },
};

export interface RulesetArgs {
  readonly connection: pulumi.Input<unknown>;
  readonly policy: pulumi.Input<unknown>;
  readonly proveFrom: pulumi.Input<unknown> | undefined;
  readonly behind: pulumi.Input<unknown> | undefined;
  readonly undoAfterSeconds: pulumi.Input<number> | undefined;
  readonly adopt: pulumi.Input<boolean> | undefined;
  readonly deleteUnreachable: pulumi.Input<boolean> | undefined;
  readonly health?: pulumi.Input<HealthCheck> | undefined;
  /** Whether a failed change is a success for the engine, with the failure in the outputs only. Default: false. */
  readonly recordFailure?: boolean | undefined;
  /** Whether the state keeps the former policy, so that it can be restored. Default: false. */
  readonly keepFormer?: boolean | undefined;
  /**
   * Names of arguments that the component was given and does not have, for `check` to report. They may hold a secret.
   */
  readonly unknownArguments?: readonly string[] | undefined;
  /** The resource's place in its program: the same in each run, and different in each other program. */
  readonly origin: pulumi.Input<string>;
}

/** The one resource that changes a host: a change is one transaction, so it can't be several resources. */
export interface RulesetResource extends pulumi.CustomResource {
  readonly connection: pulumi.Output<unknown>;
  readonly policy: pulumi.Output<unknown>;
  readonly proveFrom: pulumi.Output<unknown>;
  readonly behind: pulumi.Output<unknown>;
  readonly undoAfterSeconds: pulumi.Output<number>;
  readonly origin: pulumi.Output<string>;
  readonly ruleset: pulumi.Output<string>;
  readonly digest: pulumi.Output<string>;
  /** Counts by the gate's name; set only after a refresh. */
  readonly counters: pulumi.Output<Readonly<Record<string, GateCounts>> | undefined>;
}

/** A ruleset whose failed changes show in its outputs only. */
export interface RecordingRuleset extends RulesetResource {
  /** Why the last change failed; empty when it succeeded. */
  readonly failure: pulumi.Output<string>;
  readonly lastChange: pulumi.Output<LastChange>;
  /** The policies that the host may have had before the last change, likeliest first. Secret. */
  readonly former: pulumi.Output<readonly WrittenPolicy[]>;
}

export function registerRuleset(
  name: string,
  args: RulesetArgs,
  opts: pulumi.CustomResourceOptions,
): RulesetResource {
  const inputs = {
    connection: keepSecret(args.connection),
    policy: keepSecret(args.policy),
    proveFrom: keepSecret(args.proveFrom),
    behind: args.behind === undefined ? undefined : pulumi.secret(args.behind),
    unknownArguments: args.unknownArguments?.length ? pulumi.secret(args.unknownArguments) : undefined,
    undoAfterSeconds: args.undoAfterSeconds,
    adopt: args.adopt,
    deleteUnreachable: args.deleteUnreachable,
    health: args.health,
    recordFailure: args.recordFailure,
    keepFormer: args.keepFormer,
    origin: args.origin,
    // `check` chooses it. It is here because the engine keeps a property secret only if the program marked it.
    redactionKey: pulumi.secret(""),
    ruleset: undefined,
    digest: undefined,
    counters: undefined,
    failure: undefined,
    former: undefined,
    lastChange: undefined,
  };
  const additionalSecretOutputs = listSecrets(rulesetSecrecy);
  // The runtime makes an output of each input.
  return registerResource("Ruleset", provider, name, inputs, {
    ...opts,
    additionalSecretOutputs,
  }) as RulesetResource;
}

export function registerRecordingRuleset(
  name: string,
  args: RulesetArgs,
  opts: pulumi.CustomResourceOptions,
): RecordingRuleset {
  return registerRuleset(name, { ...args, recordFailure: true }, opts) as RecordingRuleset;
}

/** The policy that the host has, by its state; `undefined` when it has none. Secret. */
export function findPresent({
  policy,
  failure,
  former,
}: RecordingRuleset): pulumi.Output<WrittenPolicy | undefined> {
  return pulumi
    .all([policy, failure, former])
    .apply(([wanted, why, had]) => (why === "" ? wanted : had[0]) as WrittenPolicy | undefined);
}

/** The id, and the part of the state that restores what the host had: a `StoredRuleset`. Secret. */
export function readStored(
  ruleset: RecordingRuleset,
  health: HealthCheck | undefined,
): pulumi.Output<unknown> {
  const { id, connection, policy, proveFrom, behind, undoAfterSeconds, origin, former } = ruleset;
  const kept: { readonly [Name in Exclude<keyof StoredState, "health">]: pulumi.Output<unknown> } = {
    ...{ connection, policy, proveFrom, behind, undoAfterSeconds, origin, former },
  };
  return pulumi.secret(
    pulumi.all([id, pulumi.all(kept)]).apply(([owner, held]) => ({ id: owner, state: { ...held, health } })),
  );
}
