import * as pulumi from "@pulumi/pulumi";

/** A connection and the policy that gates it, as plain values from the engine. Secret. */
export interface GatedConnection {
  readonly connection: unknown;
  readonly policy: unknown;
  /** Gates of other policies on the host. */
  readonly behind: unknown;
  /** Profiles of machines on the way that are gated themselves. */
  readonly hopProfiles: unknown;
}

/** Knocks that are repeated after an error. After that, the resource fails with its error. */
const mostRetries = 3;

/** What @pulumi/command 1.2.1 and Go's net and ssh packages say when a connection to a host fails. */
const dialError =
  /dial tcp|dial error|i\/o timeout|handshake failed|connection (refused|reset|timed out|lost)|no route to host|unreachable|timed out|ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH/i;

type HookKnock = () => Promise<void>;

/**
 * Registers resource hooks that send a gate's knock right before another resource dials the host, and again when that
 * could not connect. The hooks run in the program, so a deletion needs the program, too: `pulumi destroy
 * --run-program`. They are registered even if no resource of the program uses them: a resource that the program no
 * longer has may need them to be deleted.
 *
 * @param place becomes part of the hooks' names. It is unique in the program, and the same in each run: a resource that
 *   is to be deleted refers to its hooks by name.
 * @param gated resolves when the host's gates are as the program wants them
 */
export function registerHooks(
  place: string,
  gated: pulumi.Output<GatedConnection>,
): pulumi.ResourceHookBinding {
  const knock = async (): Promise<void> => {
    // Imported here, so that a program that uses no hook loads no SSH.
    const { readArguments } = await import("../ruleset/parse-inputs.js");
    const { makeTarget } = await import("../ruleset/record-change.js");
    const { openSshGate } = await import("../../change/open.js");
    const reading = readArguments(await resolve(gated));
    if (reading.kind !== "arguments") return;
    const { connection, policy, behind, openHop } = makeTarget(reading.arguments);
    await openSshGate(connection, policy, behind, openHop);
  };
  return makeHooks(place, knock);
}

/** Whether hooks can be registered. With Pulumi's mocks, a registration would never end. */
export function canRegisterHooks(): boolean {
  return "registerResourceHook" in (pulumi.runtime.getMonitor() ?? {});
}

/** Joins a resource's hooks and those of a gate. The resource's own run first. */
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

function makeHooks(place: string, knock: HookKnock): pulumi.ResourceHookBinding {
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
 * An old CLI, and Pulumi's mocks, refuse hooks. A resource that uses a hook awaits its registration, and the SDK
 * reports the error. A program that uses no hook must not fail, so the error is dropped here.
 */
function keepFailureForUse(...hooks: readonly object[]): void {
  for (const hook of hooks) (hook as Registering).__registered?.catch(() => undefined);
}

/** A field of the SDK's hooks that its types leave out. */
interface Registering {
  readonly __registered?: Promise<void>;
}

function resolve<T>(output: pulumi.Output<T>): Promise<Record<string, unknown>> {
  return new Promise((done) => output.apply((value) => done(value as Record<string, unknown>)));
}
