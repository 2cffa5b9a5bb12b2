import * as pulumi from "@pulumi/pulumi";
import type * as operations from "./operations.js";

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
  /** Where in which program this stands: the same in each run, and in no other program. */
  readonly origin: pulumi.Input<string>;
}

/** The one resource that changes a host: a change is one transaction, so it can't be several resources. */
export class Ruleset extends pulumi.dynamic.Resource {
  declare readonly policy: pulumi.Output<unknown>;
  declare readonly ruleset: pulumi.Output<string>;
  declare readonly digest: pulumi.Output<string>;

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
        origin: args.origin,
        // Chosen by `check`; it is named here because the engine keeps a property secret only if the program did.
        redactionKey: pulumi.secret(""),
        ruleset: undefined,
        digest: undefined,
      },
      { ...opts, additionalSecretOutputs: ["connection", "policy", "proveFrom", "redactionKey", "digest"] },
      "knockgate",
      "Ruleset",
    );
  }
}
