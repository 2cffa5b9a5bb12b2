import * as pulumi from "@pulumi/pulumi";

/** A connection and the policy that stands in its way: plain values as the engine has them. Secret. */
export interface GatedConnection {
  readonly connection: unknown;
  readonly policy: unknown;
}

/** Retries after which an error is the resource's own. */
const mostRetries = 3;

/** How @pulumi/command 1.2.1 and Go's net and ssh packages say that a host did not let them in. */
const dialError =
  /dial tcp|dial error|i\/o timeout|handshake failed|connection (refused|reset|timed out|lost)|no route to host|unreachable|timed out|ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH/i;

/**
 * Makes resource hooks that send a gate's knock right before another resource dials the host, and once more when it
 * could not get in. They run in the program, so a deletion needs the program too: `pulumi destroy --run-program`.
 *
 * @param gated resolves when the gate is what the program wants
 */
export function makeHooks(name: string, gated: pulumi.Output<GatedConnection>): pulumi.ResourceHookBinding {
  const knock = async (): Promise<void> => {
    // Imported here, so that a program that uses no hook loads no SSH.
    const { readArguments } = await import("./arguments.js");
    const { openSshGate } = await import("../apply/open.js");
    const reading = readArguments(await resolve(gated));
    if (reading.kind === "arguments")
      await openSshGate(reading.arguments.connection, reading.arguments.policy);
  };
  const opening = new pulumi.ResourceHook(`knockgate-open-${name}`, knock);
  const again = new pulumi.ErrorHook(`knockgate-retry-${name}`, async ({ errors }) => {
    if (errors.length > mostRetries || !dialError.test(errors[0] ?? "")) return false;
    await knock();
    return true;
  });
  return {
    beforeCreate: [opening],
    beforeUpdate: [opening],
    beforeDelete: [opening],
    onError: [again],
  };
}

/** Puts the hooks that a resource has already before those of a gate. */
export function joinHooks(
  own: pulumi.ResourceHookBinding | undefined,
  more: pulumi.ResourceHookBinding,
): pulumi.ResourceHookBinding {
  return {
    ...own,
    beforeCreate: [...(own?.beforeCreate ?? []), ...(more.beforeCreate ?? [])],
    beforeUpdate: [...(own?.beforeUpdate ?? []), ...(more.beforeUpdate ?? [])],
    beforeDelete: [...(own?.beforeDelete ?? []), ...(more.beforeDelete ?? [])],
    onError: [...(own?.onError ?? []), ...(more.onError ?? [])],
  };
}

function resolve<T>(output: pulumi.Output<T>): Promise<Record<string, unknown>> {
  return new Promise((done) => output.apply((value) => done(value as Record<string, unknown>)));
}
