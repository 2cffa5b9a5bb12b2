import * as pulumi from "@pulumi/pulumi";
import { KnockgateError } from "../../errors.js";
import type { ConnectionArgs } from "./connection-args.js";
import { joinHooks } from "./hooks.js";

/** The arguments of `@pulumi/command`'s `remote.Command`, without the connection: that is the gate's. */
export interface GuardedCommandArgs {
  /** Run by the login shell when the resource is created, and when it is updated and has no `update`. Default: nothing. */
  create?: pulumi.Input<string>;
  /** Run when the resource is updated. Default: `create`. */
  update?: pulumi.Input<string>;
  /** Run when the resource is deleted. Default: nothing. */
  delete?: pulumi.Input<string>;
  /** The command's standard input. Default: none. */
  stdin?: pulumi.Input<string>;
  /** Variables for the command; sshd takes only those that its AcceptEnv names. Default: none. */
  environment?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Which outputs go to Pulumi's log: `stdout`, `stderr`, `stdoutAndStderr` or `none`. Default: both. */
  logging?: pulumi.Input<"stdout" | "stderr" | "stdoutAndStderr" | "none">;
  /** A change of any of these values runs the command again. Default: none. */
  triggers?: pulumi.Input<unknown[]>;
  /** Whether the outputs of the last run are in the next one's environment. Default: true. */
  addPreviousOutputInEnv?: pulumi.Input<boolean>;
}

/** A `remote.Command` of `@pulumi/command`. */
export interface GuardedCommand extends pulumi.CustomResource {
  /** What the command wrote to standard output. */
  readonly stdout: pulumi.Output<string>;
  /** What the command wrote to standard error. */
  readonly stderr: pulumi.Output<string>;
}

/**
 * Makes a `remote.Command` that finds the gate open, and that is deleted before the gate is.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID` when the program has no `@pulumi/command`
 */
export function makeGuardedCommand(
  gate: { readonly resource: pulumi.Resource; readonly connection: pulumi.Input<ConnectionArgs> },
  hooks: pulumi.ResourceHookBinding,
  name: string,
  args: GuardedCommandArgs,
  opts: pulumi.CustomResourceOptions = {},
): GuardedCommand {
  const { remote } = loadCommandPackage();
  const connection = pulumi.secret(pulumi.output(gate.connection).apply(leaveOutOurs));
  return new remote.Command(
    name,
    { ...args, connection },
    {
      ...opts,
      dependsOn: pulumi.output(opts.dependsOn ?? []).apply((own) => [own, gate.resource].flat()),
      hooks: joinHooks(opts.hooks, hooks),
    },
  );
}

/** Only programs that make such a command need the package: it is an optional peer. */
function loadCommandPackage(): typeof import("@pulumi/command") {
  try {
    return require("@pulumi/command");
  } catch (cause) {
    const isMissing = cause instanceof Error && "code" in cause && cause.code === "MODULE_NOT_FOUND";
    if (!isMissing) throw cause;
    const message =
      "command() makes a resource of @pulumi/command, which this program does not have. No host was contacted. " +
      "Add that package to the program: npm install @pulumi/command.";
    throw new KnockgateError("ARGUMENTS_INVALID", message, { cause });
  }
}

/**
 * Removes the fields that `@pulumi/command` does not have.
 *
 * @throws KnockgateError `ARGUMENTS_INVALID` for a connection by ssh(1): `@pulumi/command` reads no ssh_config
 */
function leaveOutOurs(connection: pulumi.Unwrap<ConnectionArgs>): pulumi.Unwrap<ConnectionArgs> {
  const { ignoreHostKey: _ignore, sudoPassword: _sudo, transport = "ssh2", proxy, ...known } = connection;
  if (transport !== "ssh2") {
    throw new KnockgateError(
      "ARGUMENTS_INVALID",
      "command() logs in by @pulumi/command, which does not use ssh and its ssh_config. Run the command by " +
        "@pulumi/command's local.Command with ssh, with the gate's hooks, or leave out `transport: \"openssh\"`. " +
        "No host was contacted.",
    );
  }
  if (proxy === undefined) return known;
  const { ignoreHostKey: _proxyIgnore, ...knownProxy } = proxy;
  return { ...known, proxy: knownProxy };
}
