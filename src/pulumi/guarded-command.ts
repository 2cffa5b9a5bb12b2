import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { ConnectionArgs } from "./args.js";
import { joinHooks } from "./hooks.js";

/** The arguments of @pulumi/command's `remote.Command`, less the connection, which is the gate's. */
export type GuardedCommandArgs = Omit<remote.CommandArgs, "connection">;

/** Makes a `remote.Command` that finds the gate open, and that goes before the gate does. */
export function makeGuardedCommand(
  gate: { readonly resource: pulumi.Resource; readonly connection: pulumi.Input<ConnectionArgs> },
  hooks: pulumi.ResourceHookBinding,
  name: string,
  args: GuardedCommandArgs,
  opts: pulumi.CustomResourceOptions = {},
): remote.Command {
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

/** What @pulumi/command does not know. */
function leaveOutOurs(connection: pulumi.Unwrap<ConnectionArgs>): pulumi.Unwrap<ConnectionArgs> {
  const { ignoreHostKey: _ignore, sudoPassword: _sudo, proxy, ...known } = connection;
  if (proxy === undefined) return known;
  const { ignoreHostKey: _proxyIgnore, ...knownProxy } = proxy;
  return { ...known, proxy: knownProxy };
}
