import * as pulumi from "@pulumi/pulumi";

/** A connection and the policy that stands in its way: plain values as the engine has them. Secret. */
export interface GatedConnection {
  readonly connection: unknown;
  readonly policy: unknown;
  /** Gates of other policies on the host. */
  readonly behind: unknown;
}

/** What a hook is called by. */
export interface HookNames {
  /** No other host of the program has it, and it is the same in each run: what is to be deleted knows its hooks by it. */
  readonly place: string;
  /** What version 0.1.0 called them by, in states that it left. Several hosts of a program may share it. */
  readonly earlier: string;
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
 * @param gated resolves when the gate is what the program wants
 */
export function registerHooks(
  { place, earlier }: HookNames,
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
  registerEarlier(earlier, knock);
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

function makeHooks(name: string, knock: Knock): pulumi.ResourceHookBinding {
  const opening = new pulumi.ResourceHook(`knockgate-open-${name}`, knock);
  const again = new pulumi.ErrorHook(`knockgate-retry-${name}`, async ({ errors }) => {
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

/** By the program's stack, of which an Automation program may run many in one process. */
const earlierKnocks = new WeakMap<object, Map<string, Knock[]>>();

/** Under a name that several hosts share, all of them are knocked at: the state does not say which one is meant. */
function registerEarlier(name: string, knock: Knock): void {
  const stack = pulumi.runtime.getStackResource();
  if (stack === undefined) return;
  const known = earlierKnocks.get(stack) ?? new Map<string, Knock[]>();
  earlierKnocks.set(stack, known);
  const knocks = known.get(name) ?? [];
  known.set(name, [...knocks, knock]);
  if (knocks.length > 0) return;
  makeHooks(name, async () => {
    const sent = await Promise.allSettled((known.get(name) ?? []).map((one) => one()));
    const failed = sent.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected" && sent.every(({ status }) => status === "rejected"))
      throw failed.reason;
  });
}

function resolve<T>(output: pulumi.Output<T>): Promise<Record<string, unknown>> {
  return new Promise((done) => output.apply((value) => done(value as Record<string, unknown>)));
}
