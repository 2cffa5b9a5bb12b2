import * as pulumi from "@pulumi/pulumi";
import type { HealthCheck } from "../apply/health.js";
import type { Policy } from "../policy/schema.js";
import type * as operations from "./operations.js";

import type { LastChange } from "./recorded.js";

type Operations = typeof operations;

/**
 * The engine stores this provider's text in the state and runs it from there. So it holds nothing: each method
 * imports the package that is installed then, by the name that the user's project knows.
 */
const provider: pulumi.dynamic.ResourceProvider = {
  async check(olds, news) {
    const { check }: Operations = await import("knockgate/provider" as string);
    return check(olds, news) as Promise<pulumi.dynamic.CheckResult>;
  },
  async diff(id, olds, news) {
    const { diff }: Operations = await import("knockgate/provider" as string);
    return diff(id, olds, news) as Promise<pulumi.dynamic.DiffResult>;
  },
  async create(inputs) {
    const { create }: Operations = await import("knockgate/provider" as string);
    return create(inputs);
  },
  async read(id, props) {
    const { read }: Operations = await import("knockgate/provider" as string);
    return read(id, props ?? {});
  },
  async update(id, olds, news) {
    const { update }: Operations = await import("knockgate/provider" as string);
    return update(id, olds, news);
  },
  async delete(id, props) {
    const { delete: remove }: Operations = await import("knockgate/provider" as string);
    return remove(id, props);
  },
};

export interface RulesetArgs {
  readonly connection: pulumi.Input<unknown>;
  readonly policy: pulumi.Input<unknown>;
  readonly proveFrom: pulumi.Input<unknown> | undefined;
  readonly undoAfterSeconds: pulumi.Input<number> | undefined;
  readonly adopt: pulumi.Input<boolean> | undefined;
  readonly deleteUnreachable: pulumi.Input<boolean> | undefined;
  readonly health?: pulumi.Input<HealthCheck> | undefined;
  /** Whether a failed change is told by the outputs alone. */
  readonly recordFailure?: boolean | undefined;
  /** Whether the state keeps what the host had before, so that it can be put back. */
  readonly keepFormer?: boolean | undefined;
  /** Where in which program this stands: the same in each run, and in no other program. */
  readonly origin: pulumi.Input<string>;
}

const secretOutputs = ["connection", "policy", "proveFrom", "redactionKey", "digest", "former"];

/** The one resource that changes a host: a change is one transaction, so it can't be several resources. */
export class Ruleset extends pulumi.dynamic.Resource {
  declare readonly policy: pulumi.Output<unknown>;
  declare readonly ruleset: pulumi.Output<string>;
  declare readonly digest: pulumi.Output<string>;
  /** Why the last change failed; empty: it did not. Only where failures are recorded. */
  declare readonly failure: pulumi.Output<string>;
  /** Only where failures are recorded. */
  declare readonly lastChange: pulumi.Output<LastChange>;
  /** What the host had before the change that the state tells of, likeliest first. Only where failures are recorded. Secret. */
  declare readonly former: pulumi.Output<readonly unknown[]>;
  declare readonly connection: pulumi.Output<unknown>;
  declare readonly proveFrom: pulumi.Output<unknown>;
  declare readonly undoAfterSeconds: pulumi.Output<number>;
  readonly #recordsFailure: boolean;

  constructor(name: string, args: RulesetArgs, opts: pulumi.CustomResourceOptions) {
    super(
      provider,
      name,
      {
        connection: pulumi.secret(args.connection),
        policy: pulumi.secret(args.policy),
        proveFrom: args.proveFrom === undefined ? undefined : pulumi.secret(args.proveFrom),
        undoAfterSeconds: args.undoAfterSeconds,
        adopt: args.adopt,
        deleteUnreachable: args.deleteUnreachable,
        health: args.health,
        recordFailure: args.recordFailure,
        keepFormer: args.keepFormer,
        origin: args.origin,
        // Chosen by `check`; it is named here because the engine keeps a property secret only if the program did.
        redactionKey: pulumi.secret(""),
        ruleset: undefined,
        digest: undefined,
        failure: undefined,
        former: undefined,
        lastChange: undefined,
      },
      { ...opts, additionalSecretOutputs: [...secretOutputs] },
      "knockgate",
      "Ruleset",
    );
    this.#recordsFailure = args.recordFailure ?? false;
  }

  /** The id and the state, as far as they are needed to put the host back to what it had: a `RulesetState`. Secret. */
  get stored(): pulumi.Output<unknown> {
    const { id, connection, policy, proveFrom, undoAfterSeconds, former } = this;
    const state = pulumi.all({ connection, policy, proveFrom, undoAfterSeconds, former });
    return pulumi.secret(pulumi.all([id, state]).apply(([owner, held]) => ({ id: owner, state: held })));
  }

  /** The policy that the host has, by what the state says; `undefined`: none. Secret. */
  get present(): pulumi.Output<Policy | undefined> {
    if (!this.#recordsFailure) return this.policy as pulumi.Output<Policy>;
    return pulumi.all([this.policy, this.failure, this.former]).apply(([policy, failure, former]) => {
      return (failure === "" ? policy : former[0]) as Policy | undefined;
    });
  }
}
