import * as pulumi from "@pulumi/pulumi";
import type { HealthCheck } from "../../change/health.js";
import type { GateCounts } from "../../policy/counts.js";
import { type WrittenPolicy, writePolicy } from "../../policy/written-policy.js";
import { registerResource } from "../registration.js";
import { listSecrets, storedSecrecy } from "../secrecy.js";
import { keepSecret } from "../secret-input.js";
import type { LastChange } from "./last-change.js";
import { type Sealed, unseal } from "./sealed.js";
import type { StoredState } from "./state.js";

export interface RulesetArgs {
  readonly connection: pulumi.Input<unknown>;
  readonly policy: pulumi.Input<unknown>;
  readonly proveFrom: pulumi.Input<unknown> | undefined;
  readonly behind: pulumi.Input<unknown> | undefined;
  readonly hopProfiles: pulumi.Input<unknown> | undefined;
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
export interface RegisteredRuleset {
  readonly resource: pulumi.CustomResource;
  /** The policy of the last change. Secret. */
  readonly policy: pulumi.Output<unknown>;
  readonly digest: pulumi.Output<string>;
  /** Counts by the gate's name; set only after a refresh. */
  readonly counters: pulumi.Output<Readonly<Record<string, GateCounts>> | undefined>;
  /** Why the last change failed; empty when it succeeded. Only where failures are recorded. */
  readonly failure: pulumi.Output<string>;
  /** Only where failures are recorded. */
  readonly lastChange: pulumi.Output<LastChange>;
  /** All that the state has. Unknown in a preview of a change. Secret. */
  readonly sealed: pulumi.Output<Sealed>;
  /** Returns the redacted ruleset. The state has only what it is rendered from. */
  readRuleset(): pulumi.Output<string>;
}

/** The resource's outputs. The runtime makes an output of each input, too. */
interface RulesetResource extends pulumi.CustomResource {
  /** In a preview of a change, and under mocks, this is of the inputs. */
  readonly sealed: pulumi.Output<unknown>;
  readonly ruleset: pulumi.Output<unknown>;
  readonly digest: pulumi.Output<string>;
  readonly counters: RegisteredRuleset["counters"];
  readonly failure: RegisteredRuleset["failure"];
  readonly lastChange: RegisteredRuleset["lastChange"];
}

export function registerRuleset(
  name: string,
  args: RulesetArgs,
  opts: pulumi.CustomResourceOptions,
): RegisteredRuleset {
  const policy = keepSecret(args.policy);
  const inputs = {
    connection: keepSecret(args.connection),
    policy,
    proveFrom: keepSecret(args.proveFrom),
    behind: args.behind === undefined ? undefined : pulumi.secret(args.behind),
    hopProfiles: args.hopProfiles === undefined ? undefined : pulumi.secret(args.hopProfiles),
    unknownArguments: args.unknownArguments?.length ? pulumi.secret(args.unknownArguments) : undefined,
    undoAfterSeconds: args.undoAfterSeconds,
    adopt: args.adopt,
    deleteUnreachable: args.deleteUnreachable,
    health: args.health,
    recordFailure: args.recordFailure,
    keepFormer: args.keepFormer,
    origin: args.origin,
    // `check` fills it. It is here because the engine keeps a property secret only if the program marked it.
    sealed: pulumi.secret(""),
    ruleset: undefined,
    digest: undefined,
    counters: undefined,
    failure: undefined,
    lastChange: undefined,
  };
  const additionalSecretOutputs = listSecrets(storedSecrecy);
  const resource = registerResource("Ruleset", name, inputs, {
    ...opts,
    additionalSecretOutputs,
  }) as RulesetResource;
  const { digest, counters, failure, lastChange } = resource;
  const opened = resource.sealed.apply((text) => unseal(text) ?? {});
  const read = <T>(ofState: (sealed: Sealed) => pulumi.Input<T>, otherwise: () => pulumi.Input<T>) => {
    const found = opened.apply((sealed) => (isOfState(sealed) ? ofState(sealed) : otherwise()));
    return pulumi.secret(found as pulumi.Output<T>);
  };
  const given = () => (pulumi.output(policy) as pulumi.Output<unknown>).apply(fillPolicy);
  const shown = () => resource.ruleset.apply(showRuleset);
  return {
    resource,
    policy: read<unknown>((sealed) => sealed.policy, given),
    digest: read<string>(readDigest, () => digest),
    counters,
    failure,
    lastChange,
    // In a preview of a change, the digest is as unknown.
    sealed: read<Sealed>(keepWhole, () => digest.apply(() => ({}))),
    readRuleset: () => pulumi.unsecret(read(renderSealed, shown)),
  };
}

function isOfState({ policy }: Sealed): boolean {
  return policy !== undefined;
}

function readDigest({ digest = "" }: Sealed): string {
  return digest;
}

function keepWhole(sealed: Sealed): Sealed {
  return sealed;
}

/** Fills in the defaults, as `check` does. Loads the schemas, but only in a preview of a change. */
async function fillPolicy(given: unknown): Promise<unknown> {
  const { parsePolicy } = await import("../../policy/parse.js");
  const reading = parsePolicy(given);
  return reading.kind === "policy" ? writePolicy(reading.policy) : given;
}

/** Loads the backends, but only in a program that wants to know the ruleset. */
async function renderSealed(sealed: Sealed): Promise<string> {
  const { renderOwn } = await import("./stored.js");
  return sealed.ruleset ?? renderOwn(sealed) ?? "";
}

async function showRuleset(stored: unknown): Promise<string> {
  const { unfoldFamilies } = await import("../../backends/nftables/fold.js");
  return unfoldFamilies(`${stored ?? ""}`);
}

/** The policy that the host has, by its state; `undefined` when it has none. Secret. */
export function findPresent({
  policy,
  failure,
  sealed,
}: RegisteredRuleset): pulumi.Output<WrittenPolicy | undefined> {
  return pulumi
    .all([policy, failure, sealed])
    .apply(
      ([wanted, why, { former = [] }]) => (why === "" ? wanted : former[0]) as WrittenPolicy | undefined,
    );
}

/** The id, and the part of the state that restores what the host had: a `StoredRuleset`. Secret. */
export function readStored(
  { resource, sealed }: RegisteredRuleset,
  health: HealthCheck | undefined,
): pulumi.Output<unknown> {
  const stored = pulumi.all([resource.id, sealed]).apply(([id, held]) => {
    const { connection, policy, proveFrom, behind, hopProfiles, undoAfterSeconds, origin, former } = held;
    const state: Readonly<Record<keyof StoredState, unknown>> = {
      ...{ connection, policy, proveFrom, behind, hopProfiles, undoAfterSeconds, origin, former, health },
    };
    return { id, state };
  });
  return pulumi.secret(stored);
}
