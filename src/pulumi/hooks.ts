import * as pulumi from "@pulumi/pulumi";

/** A connection and the policy that stands in its way: plain values as the engine has them. Secret. */
export interface GatedConnection {
  readonly connection: unknown;
  readonly policy: unknown;
  /** Gates of other policies on the host. */
  readonly behind: unknown;
}

/** Retries after which an error is the resource's own. */
const mostRetries = 3;

/** How @pulumi/command 1.2.1 and Go's net and ssh packages say that a host did not let them in. */
const dialError =
  /dial tcp|dial error|i\/o timeout|handshake failed|connection (refused|reset|timed out|lost)|no route to host|unreachable|timed out|ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH/i;

type Knock = () => Promise<void>;

/**
 * Registers resource hooks that send a gate's knock right before another resource dials the host, and once more when it
 * could not get in. They run in the program, so a deletion needs the program too: `pulumi destroy --run-program`. They
 * are registered whether anybody asks for them or not: a resource that the program no longer has may still need them to
 * be deleted.
 *
 * @param place in the names of its hooks: no other host of the program has it, and it is the same in each run, because
 * what is to be deleted knows its hooks by their names
 * @param gated resolves when the gate is what the program wants
 */
export function registerHooks(
  place: string,
  gated: pulumi.Output<GatedConnection>,
): pulumi.ResourceHookBinding {
  const knock = async (): Promise<void> => {
    // Imported here, so that a program that uses no hook loads no SSH.
    const { readArguments } = await import("./arguments.js");
    const { openSshGate } = await import("../apply/open.js");
    const reading = readArguments(await resolve(gated));
    if (reading.kind !== "arguments") return;
    const { connection, policy, behind } = reading.arguments;
    await openSshGate(connection, policy, behind);
  };
  return makeHooks(place, knock);
}

/** Whether there is an engine to register hooks at: with Pulumi's mocks a registration would never end. */
export function canRegisterHooks(): boolean {
  return "registerResourceHook" in (pulumi.runtime.getMonitor() ?? {});
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

function makeHooks(place: string, knock: Knock): pulumi.ResourceHookBinding {
  const opening = new pulumi.ResourceHook(`knockgate-open-${place}`, knock);
  const again = new pulumi.ErrorHook(`knockgate-retry-${place}`, async ({ errors }) => {
    if (errors.length > mostRetries || !dialError.test(errors[0] ?? "")) return false;
    await knock();
    return true;
  });
  keepFailureForUse(opening, again);
  return {
    beforeCreate: [opening],
    beforeUpdate: [opening],
    beforeDelete: [opening],
    onError: [again],
  };
}

/**
 * A CLI that knows no hooks, and Pulumi's mocks, refuse them. Who uses a hook waits for its registration and is told so
 * by the SDK; a program that uses none must not fail by it.
 */
function keepFailureForUse(...hooks: readonly object[]): void {
  for (const hook of hooks) (hook as Registering).__registered?.catch(() => undefined);
}

/** What the SDK's hooks have, and its own types do not say. */
interface Registering {
  readonly __registered?: Promise<void>;
}

function resolve<T>(output: pulumi.Output<T>): Promise<Record<string, unknown>> {
  return new Promise((done) => output.apply((value) => done(value as Record<string, unknown>)));
}
